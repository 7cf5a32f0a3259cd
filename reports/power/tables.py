"""Tables of the report, as rows of texts: gates, steps, points of curves, the rollout as a whole."""

from __future__ import annotations

from reports.numbers import length
from reports.power import words
from reports.power.card import LEVEL, Dot, GatePower, Power, Whole, WholeDot
from scenarios.power.asking import Axis, AxisKind


def points(gate: GatePower) -> list[tuple[str, ...]]:
    """The gate's curve: a row for each simulated point, or for some of the line."""
    closed = dict(gate.line)
    head = (_axis_head(gate.axis), "closed form", f"simulated ({100 * LEVEL:g} % interval)", "")
    dots = {dot.x: dot for dot in gate.dots}
    places = gate.axis.grid if dots else [x for x, _ in gate.line if x in gate.axis.grid]
    rows = [
        (words.value(gate.axis, x), words.line_chance(gate, closed.get(x)), _dot(dots.get(x)), _mark(gate, x))
        for x in places
        if x in dots or x in closed
    ]
    return [head, *rows] if dots else _without([head, *rows], 2)


def _without(rows: list[tuple[str, ...]], *columns: int) -> list[tuple[str, ...]]:
    """The table without columns that nothing stands in."""
    return [tuple(cell for place, cell in enumerate(row) if place not in columns) for row in rows]


def _axis_head(axis: Axis) -> str:
    if axis.kind is AxisKind.ERRORS:
        return "true error ratio"
    return "added time" if axis.added else "service time"


def _dot(dot: Dot | None) -> str:
    if dot is None:
        return "-"
    return words.frequency(dot.aborted) + (f", {dot.paused} inconclusive" if dot.paused else "")


def _mark(gate: GatePower, x: float) -> str:
    dot = gate.dot_at(x)
    apart = "" if dot is None or dot.closed is None or dot.aborted.covers(dot.closed) else "apart"
    place = {gate.axis.healthy: "healthy", gate.axis.bad: "bad"}.get(x, "")
    return ", ".join(filter(None, (place, apart)))


def steps(gate: GatePower) -> list[tuple[str, ...]]:
    """What the gate sees in each step, and what it makes of it."""
    heads = ("step", "share", "measurements", "requests each", "one fails, healthy", "one passes, bad",
             "aborted by then, healthy", "aborted by then, bad")  # fmt: skip
    return [
        heads,
        *(
            (
                line.step,
                f"{line.weight:g} %",
                f"{line.measurements}",
                words.requests_text(line.requests),
                words.course_chance(gate.healthy, line.false_fail),
                words.course_chance(gate.bad, line.miss),
                words.course_chance(gate.healthy, line.false_abort),
                words.course_chance(gate.bad, line.caught),
            )
            for line in gate.steps
        ),
    ]


def overview(found: Power) -> list[tuple[str, ...]]:
    """One row a gate."""
    heads = ("gate", "where", "requests each", "false abort", "miss", "simulated: false abort", "miss", "")
    rows = [heads, *(_overview_row(gate) for gate in found.gates)]
    return rows if found.replications else _without(rows, 5, 6)


def _overview_row(gate: GatePower) -> tuple[str, ...]:
    healthy, bad = gate.dot_at(gate.axis.healthy), gate.dot_at(gate.axis.bad)
    enough = {True: "enough", False: "not enough", None: _unknown(gate)}[gate.reaches]
    requests = "-" if gate.healthy is None else words.spread([line.requests for line in gate.steps])
    return (
        gate.model.metric.name,
        gate.model.where,
        requests,
        "-" if gate.healthy is None else words.course_chance(gate.healthy, gate.healthy.ends.abort),
        "-" if gate.bad is None else words.course_chance(gate.bad, 1 - gate.bad.ends.abort),
        "-" if healthy is None else f"{words.chance(healthy.aborted.share)}",
        "-" if bad is None else f"{words.chance(1 - bad.aborted.share)}",
        "dry run" if gate.model.dry_run else enough,
    )


def _unknown(gate: GatePower) -> str:
    return "undecided" if gate.dots or gate.healthy is not None else "no closed form"


def whole_points(whole: Whole) -> list[tuple[str, ...]]:
    """The rollout as a whole: a row for each simulated point."""
    closed = f"closed forms of {whole.closed} of {whole.of}"
    head = (_axis_head(whole.axis), closed, "aborted, simulated", "half of them by", "95 % by")
    return [head, *(_whole_row(whole, dot) for dot in whole.dots)]


def _whole_row(whole: Whole, dot: WholeDot) -> tuple[str, ...]:
    return (
        words.value(whole.axis, dot.x),
        "-" if dot.closed is None else words.counted_chance(dot.closed, whole.paths),
        words.frequency(dot.aborted) + (f", {dot.paused.hits} inconclusive" if dot.paused.hits else ""),
        "-" if dot.median_s is None else length(dot.median_s),
        "-" if dot.p95_s is None else length(dot.p95_s),
    )


def by_step(whole: Whole) -> list[tuple[str, ...]]:
    """Where the bad release is aborted: by the end of each step."""
    bad = whole.at(whole.axis.bad)
    if bad is None or not bad.by_step:
        return []
    return [
        ("by the end of", "the bad release is aborted"),
        *((step, words.frequency(found)) for step, found in bad.by_step),
    ]
