"""A timetable as Markdown, with a link to the figure written beside it."""

from __future__ import annotations

from collections.abc import Sequence

from reports.timetable import words
from sim.timetable import Refused, Timetable


def timetable_markdown(found: Timetable | Refused, figure: str = "plan.svg") -> str:
    """The same as the text, in Markdown."""
    if isinstance(found, Refused):
        return f"## {found.subject}\n\nRejected by {found.actor}: {found.reason}"
    blocks = [
        f"## {words.head(found)}",
        "\n".join(f"- {text}" for text in words.sentences(found)),
        *(_table(table) for table in (words.phases(found), words.steps(found), words.gates(found)) if table),
        f"![timetable]({figure})" if figure else "",
        "Times are ends, since the apply.",
        "\n".join(f"- {text}" for text in found.assumptions),
    ]
    return "\n\n".join(block for block in blocks if block)


def _table(table: Sequence[tuple[str, ...]]) -> str:
    rows = [[cell.replace("|", "\\|") for cell in row] for row in table]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join((lines[0], f"|{'---|' * len(table[0])}", *lines[1:]))
