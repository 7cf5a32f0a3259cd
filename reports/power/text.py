"""The report for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.power import tables, words
from reports.power.card import GatePower, Power, Whole
from reports.text import columns, wrapped
from scenarios.power.models import Gateless


def power_text(found: Power | Gateless) -> str:
    """What to know first, one line a gate, then each gate by itself."""
    if isinstance(found, Gateless):
        return wrapped(gateless(found), "")
    title = f"{found.subject}: what its gates can tell"
    blocks = [
        [title, "=" * len(title), wrapped(words.about(found) + ".", "")],
        [wrapped(line, "- ") for line in words.headlines(found)],
        columns(tables.overview(found)),
        *(_whole(whole) for whole in found.wholes),
        *(list(_gate(gate)) for gate in found.gates),
        [wrapped(line, "- ") for line in words.notes(found)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def gateless(found: Gateless) -> str:
    """The plain statement that nothing can abort."""
    return f"{found.subject}: nothing to judge. {found.why[0].upper()}{found.why[1:]}."


def _whole(whole: Whole) -> list[str]:
    filled = [table for table in (tables.whole_points(whole), tables.by_step(whole)) if len(table) > 1]
    if not filled:
        return []
    title = words.together(whole.axis)
    lines = [title, "-" * len(title)]
    for table in filled:
        lines += columns([(f"  {row[0]}", *row[1:]) for row in table])
    return lines


def _gate(gate: GatePower) -> Iterator[str]:
    yield gate.model.name
    yield "-" * len(gate.model.name)
    yield wrapped(words.rule(gate), "  ")
    yield wrapped(words.method(gate), "  ")
    for table in (tables.steps(gate), tables.points(gate)):
        if len(table) > 1:
            yield from (f"  {line}" for line in columns(table))


def power_markdown(found: Power | Gateless, figure: str = "power.svg") -> str:
    """The same in Markdown, with a link to the figure written beside it."""
    if isinstance(found, Gateless):
        return f"## {found.subject}\n\n{gateless(found)}"
    blocks = [
        f"## {found.subject}: what its gates can tell",
        words.about(found) + ".",
        "\n".join(f"- {line}" for line in words.headlines(found)),
        _table(tables.overview(found)),
        f"![operating characteristic curves]({figure})" if figure else "",
        *(text for whole in found.wholes for text in _whole_markdown(whole)),
        *(text for gate in found.gates for text in _gate_markdown(gate)),
        "\n".join(f"- {line}" for line in words.notes(found)),
    ]
    return "\n\n".join(block for block in blocks if block)


def _whole_markdown(whole: Whole) -> Iterator[str]:
    filled = [table for table in (tables.whole_points(whole), tables.by_step(whole)) if len(table) > 1]
    if filled:
        yield f"### {words.together(whole.axis)}"
    yield from (_table(table) for table in filled)


def _gate_markdown(gate: GatePower) -> Iterator[str]:
    yield f"### {gate.model.name}"
    yield f"{words.rule(gate)}.\n\n{words.method(gate)}."
    yield from (_table(table) for table in (tables.steps(gate), tables.points(gate)) if len(table) > 1)


def _table(table: Sequence[tuple[str, ...]]) -> str:
    rows = [[cell.replace("|", "\\|") for cell in row] for row in table]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join((lines[0], f"|{'---|' * len(table[0])}", *lines[1:]))
