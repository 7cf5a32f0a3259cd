"""A timetable for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from reports.timetable import words
from sim.timetable import Refused, Timetable

_WIDTH = 110
_GLUE = "\N{NO-BREAK SPACE}"
_RIGHT = frozenset({"", "weight", "new", "old", "pods", "earliest", "latest", "earliest abort", "at the latest"})


def timetable_text(found: Timetable | Refused) -> str:
    """What to know first, then steps, gates and assumptions; or why there is none."""
    if isinstance(found, Refused):
        return f"{found.subject}\n{_wrapped(f'Rejected by {found.actor}: {found.reason}', '')}"
    head = words.head(found)
    blocks = [
        "\n".join((head, "=" * len(head), *(_wrapped(text, "- ") for text in words.sentences(found)))),
        *(_columns(table) for table in (words.phases(found), words.steps(found), words.gates(found)) if table),
        "\n".join(("Times are ends, since the apply.", *(_wrapped(text, "- ") for text in found.assumptions))),
    ]
    return "\n\n".join(blocks)


def _columns(table: Sequence[tuple[str, ...]]) -> str:
    """Aligned columns; numbers to the right; the last column wraps within its own width."""
    names = table[0]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    rest = max(24, _WIDTH - sum(widths[:-1]) - 2 * (len(widths) - 1))
    lines: list[str] = []
    for row in table:
        lead = "  ".join(
            cell.rjust(width) if name in _RIGHT else cell.ljust(width)
            for name, cell, width in zip(names[:-1], row[:-1], widths[:-1], strict=True)
        )
        last = _lines(row[-1], rest, "", "") or [""]
        lines += [f"{lead}  {last[0]}".rstrip(), *(f"{'':{len(lead)}}  {text}" for text in last[1:])]
    return "\n".join(lines)


def _wrapped(text: str, lead: str) -> str:
    return "\n".join(_lines(text, _WIDTH, lead, " " * len(lead)))


def _lines(text: str, width: int, first: str, others: str) -> list[str]:
    """The text in lines; a number keeps its per cent sign, long words stay whole."""
    glued = textwrap.wrap(
        text.replace(" %", f"{_GLUE}%"),
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ") for line in glued]
