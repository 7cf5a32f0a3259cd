"""What a timetable says in sentences, and its tables cell by cell; text and Markdown only lay them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from reports.timetable.times import (
    earliest_text,
    exposure_text,
    latest_of,
    latest_text,
    seconds_text,
    span_text,
    weight_text,
)
from reports.words import join
from sim.timetable import Ability, Gate, Relief, Row, Timetable, short_list

Table = tuple[tuple[str, ...], ...]
"""A head and its rows."""

_STEPS = ("", "step", "weight", "new", "old", "pods", "earliest", "latest", "watched by")
_GATES = ("gate", "where", "earliest abort", "at the latest", "fails every time: traffic until then")
_PHASES = ("phase", "regions", "earliest start", "latest start", "released by", "soak")
_MOST_ROWS, _KEPT = 60, 20


def head(found: Timetable) -> str:
    """``Rollout shop: canary, weights by istio, 10 pods``."""
    return f"{found.subject}: {found.strategy}, {found.replicas} {_pods(found.replicas)}"


def steps(found: Timetable) -> Table:
    """One line for each row; a very long list without its middle."""
    rows = [_step(row) for row in found.rows]
    if len(rows) > _MOST_ROWS:
        left_out = len(rows) - 2 * _KEPT
        rows = [*rows[:_KEPT], ("", f"... {left_out} more (plan.json has them) ...", *[""] * 7), *rows[-_KEPT:]]
    return (_STEPS, *rows)


def _step(row: Row) -> tuple[str, ...]:
    note = f" ({row.note})" if row.note else ""
    return (
        "" if row.number is None else str(row.number),
        f"{row.what}{note}",
        weight_text(row.weight),
        str(row.candidate_pods),
        str(row.stable_pods),
        str(row.pods),
        earliest_text(row.end.earliest_s),
        latest_of(row.end),
        _watchers(row),
    )


def _watchers(row: Row) -> str:
    """The gates that measure; an analysis step is watched by what it is named after."""
    if not row.gates:
        return "-"
    return "itself" if row.what.startswith("analysis") else short_list(row.gates)


def gates(found: Timetable) -> Table:
    """One line for each gate that can abort; those of one place with the same times share it."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for gate in found.gates:
        if gate.ability is not Ability.NEVER:
            name, *rest = _gate(gate)
            shared.setdefault(tuple(rest), []).append(name)
    return (_GATES, *((short_list(names), *rest) for rest, names in shared.items())) if shared else ()


def _gate(gate: Gate) -> tuple[str, ...]:
    wait = " + wait" if gate.start.after_wait else ""
    bound = "not sure" if gate.bound_s is None else latest_text(gate.bound_s) + wait
    traffic = "-" if gate.bound_s is None else exposure_text(gate.exposure)
    return gate.name, gate.where, earliest_text(gate.earliest_abort_s), bound, traffic


def phases(found: Timetable) -> Table:
    """One line for each phase of a regional rollout."""
    rows = [
        (
            phase.name,
            ", ".join(phase.regions),
            earliest_text(phase.start.earliest_s),
            latest_of(phase.start),
            latest_of(phase.released),
            seconds_text(phase.soak_s) if phase.soak_s else "-",
        )
        for phase in found.phases
    ]
    return (_PHASES, *rows) if rows else ()


def sentences(found: Timetable) -> Iterator[str]:
    """What to know first: the end, the detection, what nobody watches, the peak, the way back."""
    yield _end(found)
    yield from _waits(found)
    yield from _detection(found)
    yield from _unwatched(found)
    yield from _unable(found.gates)
    yield from _unsure(found.gates)
    yield _peak(found)
    if found.relief is not None:
        yield _relief(found.relief)
    yield from (f"{note[0].upper()}{note[1:]}." for note in found.notes)


def _end(found: Timetable) -> str:
    if found.ending:
        return f"The release never comes to serve everybody: {found.ending}."
    low, high = earliest_text(found.end.earliest_s), latest_text(found.end.latest_s)
    wait = ", besides the wait for a person" if found.end.after_wait else ""
    return f"The release serves everybody {low} after the apply at the earliest, {high} at the latest{wait}."


def _waits(found: Timetable) -> Iterator[str]:
    names = [_name(row) for row in found.rows if row.waits_for_person]
    if names:
        yield f"Waits for a person: {join(names)}. Times after that leave the wait out."


def _name(row: Row) -> str:
    return f"step {row.number}" if row.number is not None else row.what


def _detection(found: Timetable) -> Iterator[str]:
    metrics = [gate for gate in found.gates if not gate.is_for_pods and gate.ability is not Ability.NEVER]
    bound = [gate for gate in metrics if gate.bound_s is not None]
    if bound:
        # A gate that does not wait for anybody binds before one that does.
        gate = min(bound, key=lambda one: (one.start.after_wait, one.bound_s))
        yield _aborted(found, gate, "every gate" if len(metrics) > 1 else gate.name)
        yield from _with_traffic(metrics)
    elif metrics:
        yield "No gate is sure to abort a version that fails it."
    else:
        yield "No gate can abort a version that fails: only people can."


def _aborted(found: Timetable, gate: Gate, everything: str) -> str:
    errors = ""
    if gate.bound_s is not None and gate.bound_with_errors_s is not None:
        late = gate.bound_with_errors_s > gate.bound_s + 1
        said = f"{latest_text(gate.bound_with_errors_s)} with all errors in between that {gate.name} tolerates"
        errors = f" ({said})" if late else ""
    wait = " and the wait for a person" if gate.start.after_wait else ""
    return (
        f"A version that fails {everything} is aborted between {earliest_text(found.earliest_abort_s)} and "
        f"{latest_text(gate.bound_s)}{wait}{errors}; until then it has {exposure_text(gate.exposure)}."
    )


def _with_traffic(metrics: Sequence[Gate]) -> Iterator[str]:
    known = [(gate.bound_with_traffic_s, gate) for gate in metrics if gate.bound_with_traffic_s is not None]
    if known:
        bound_s, gate = min(known, key=lambda pair: pair[0])
        yield (
            f"{gate.name} may measure before the release has traffic. If it fails only with traffic, the abort comes by "
            f"{latest_text(bound_s)}, after {exposure_text(gate.exposure_with_traffic)}."
        )


def _unwatched(found: Timetable) -> Iterator[str]:
    rows = [found.rows[index] for index in found.unwatched]
    if not rows or not any(not gate.is_for_pods for gate in found.gates):
        return
    highest = max(row.weight for row in rows)
    yield f"No gate measures during {_ranges(rows)}, at up to {weight_text(highest)} of the traffic."


def _ranges(rows: Sequence[Row]) -> str:
    """``steps 1 to 3 and 7``, and the names of rows without a number."""
    numbers = [row.number for row in rows if row.number is not None]
    parts = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        stretch = [number for _, number in run]
        parts.append(f"{stretch[0]}" if len(stretch) == 1 else f"{stretch[0]} to {stretch[-1]}")
    found = [f"step{'s' if len(numbers) > 1 else ''} {join(parts)}"] if parts else []
    return join([*found, *(f"'{row.what}'" for row in rows if row.number is None)])


def _unable(gates: Sequence[Gate]) -> Iterator[str]:
    for gate in gates:
        if gate.ability is Ability.NEVER:
            yield f"Cannot abort: {_gate_name(gate)}, {gate.reason}."


def _unsure(gates: Sequence[Gate]) -> Iterator[str]:
    for gate in gates:
        if gate.ability is Ability.MAYBE:
            yield f"Not sure to abort: {_gate_name(gate)}, {gate.reason}."


def _gate_name(gate: Gate) -> str:
    return gate.name if gate.is_for_pods else f"{gate.name} ({gate.where})"


def _peak(found: Timetable) -> str:
    peak = found.peak
    row = found.rows[peak.row] if peak.row < len(found.rows) else None
    at = f" in {_name(row) if row.number is not None else repr(row.what)}" if row is not None else ""
    more = max(0, peak.pods - found.replicas)
    text = f"At most {peak.pods} {_pods(peak.pods)}{at}, {more or 'none'} more than wanted"
    if peak.with_leaving > peak.pods:
        text += f"; {peak.with_leaving} with those that are terminating"
    if peak.if_aborted > peak.pods:
        text += f"; {peak.if_aborted} if it is aborted"
    if found.extra_pod_hours is not None:
        text += f"; up to {found.extra_pod_hours:.3g} extra pod-hours"
    return f"{text}."


def _relief(relief: Relief) -> str:
    pods = relief.pods_gone
    gone = "its pods stay" if pods.earliest_s is None else f"its pods are gone after {_gone(relief)}"
    return f"After an abort at {weight_text(relief.weight)} {_back(relief)}; {gone}."


def _back(relief: Relief) -> str:
    off = relief.traffic_off
    if off.earliest_s is None:
        return "some of the traffic stays with it"
    if off.latest_s is not None and off.latest_s < 1:
        return "the traffic is back at once"
    return f"the traffic is back within {span_text(off.earliest_s, off.latest_s)}"


def _gone(relief: Relief) -> str:
    pods = relief.pods_gone
    low, high = earliest_text(pods.earliest_s), latest_text(pods.latest_s)
    return span_text(pods.earliest_s, pods.latest_s) if low != high else high.removeprefix("+")


def _pods(count: int) -> str:
    return "pod" if count == 1 else "pods"
