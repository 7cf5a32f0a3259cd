"""A tuning for a terminal: the choice and its worth first, then the patch's values and the front."""

from __future__ import annotations

from collections.abc import Iterator

from reports.text import columns, wrapped
from reports.tune import words
from reports.tune.card import Tuning


def tuning_text(tuning: Tuning) -> str:
    """The whole tuning."""
    blocks = (
        [tuning.asked.title, wrapped(words.about_text(tuning) + ".", "")],
        [wrapped(sentence, "- ") for sentence in words.headlines(tuning)],
        list(_held_out(tuning)),
        list(_changes(tuning)),
        list(_front(tuning)),
        list(_rest(tuning)),
        [wrapped(words.method_text(tuning), "")],
    )
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _held_out(tuning: Tuning) -> Iterator[str]:
    if tuning.held_out is not None:
        yield from _titled("On held-out releases")
        heads = ("", "as written", "chosen", "difference")
        yield from columns([heads, *((f"  {name}", *rest) for name, *rest in words.row_cells(tuning))])


def _changes(tuning: Tuning) -> Iterator[str]:
    rows = words.setting_rows(tuning)
    if rows:
        yield from _titled("Changes (patch.diff)")
        yield from columns(
            [(f"  {name}", written, "\N{RIGHTWARDS ARROW}", chosen) for name, written, chosen, _ in rows]
        )
    for one in tuning.unwritten:
        yield wrapped(f"not in any file, so not in the patch: --set {one}", "  ")


def _front(tuning: Tuning) -> Iterator[str]:
    yield from _titled("Front (figures of the search: they flatter)" if tuning.front else "As written")
    yield from columns(
        [(f"  {first}", *rest) for first, *rest in (words.front_heads(tuning.asked), *words.front_rows(tuning))]
    )


def _rest(tuning: Tuning) -> Iterator[str]:
    for objective, mattered in words.importance_rows(tuning):
        yield wrapped(f"what mattered to {objective}: {mattered}", "")
    for said, times in words.refusals(tuning.tried):
        yield wrapped(f"refused {times} times: {said}", "")


def _titled(title: str) -> Iterator[str]:
    yield title
    yield "=" * len(title)
