"""A study as Markdown, and as files with its figure."""

from __future__ import annotations

from pathlib import Path

from reports import frames
from reports import words as names
from reports.figures import differences, style
from reports.files import write_atomically
from reports.study import words
from reports.study.card import StudyCard
from reports.study.data import study_csv, study_json


def markdown(card: StudyCard) -> str:
    """The study as Markdown: what stands out, then a table for each indicator."""
    parts = [f"# {frames.markdown_cell(card.title)}", words.about_text(card) + "."]
    parts += ["\n".join(f"- {sentence}" for sentence in words.headlines(card))]
    for kpi in card.shown:
        if card.measured(kpi):
            rows = [words.cells(card, row, kpi) for row in card.rows]
            parts += [f"## {names.KPI_NAMES[kpi]}", frames.markdown_table(frames.rows_table(rows, words.HEADS))]
    parts += [words.method_text(card)]
    if card.about.command:
        parts += [f"`{card.about.command}`, rolltwin {card.about.version}"]
    return "\n\n".join(part for part in parts if part)


def write_study(card: StudyCard, folder: Path) -> None:
    """Write report.md, study.json, study.csv and differences.svg into the folder."""
    write_atomically(folder / "differences.svg", differences_svg(card))
    figure = "![Differences to the baseline](differences.svg)"
    write_atomically(folder / "report.md", f"{markdown(card)}\n\n{figure}\n")
    write_atomically(folder / "study.json", study_json(card) + "\n")
    write_atomically(folder / "study.csv", study_csv(card) + "\n")


def differences_svg(card: StudyCard) -> bytes:
    """The figure."""
    return style.svg(differences.draw(differences.info(card)))
