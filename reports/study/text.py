"""A study for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from reports import words as names
from reports.study import words
from reports.study.card import StudyCard
from reports.text import columns, wrapped
from sim.model.kpis import KPI_MEANINGS


def study_text(card: StudyCard) -> str:
    """The whole study: what stands out, then a table for each indicator."""
    blocks = (
        [card.title, wrapped(words.about_text(card) + ".", "")],
        [wrapped(sentence, "- ") for sentence in words.headlines(card)],
        *(list(block) for block in _indicators(card)),
        [wrapped(words.method_text(card), "")],
    )
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _indicators(card: StudyCard) -> Iterator[Iterator[str]]:
    for kpi in card.shown:
        if card.measured(kpi):
            better = "less is better" if KPI_MEANINGS[kpi].better < 0 else "more is better"
            rows = [words.cells(card, row, kpi) for row in card.rows]
            yield iter((f"{names.KPI_NAMES[kpi]} ({better})", *("  " + line for line in columns(rows))))
    missing = [names.KPI_NAMES[kpi].lower() for kpi in card.shown if not card.measured(kpi)]
    if missing:
        yield iter((wrapped(f"No replication has {names.join(missing)}.", ""),))
