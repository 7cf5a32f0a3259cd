"""One run as a short story: what happened when, in order, for somebody who was just woken up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from reports.kpis import harm_s
from reports.numbers import clock, digits, length
from reports.views import Journal, end_of, exposed_s, of_kind, quiet_s, restored_s
from sim.model.records import (
    DecisionRecord,
    FaultRecord,
    MeasurementRecord,
    StepRecord,
    WeightRecord,
)

_FAILING = frozenset({"Failed", "Error"})
_SETTLED_S = 45.0
"""Weights that follow one another faster than this are one change: pod by pod, region by region."""
_DECISIONS = {
    "start": "started",
    "promote": "promoted",
    "abort": "aborted",
    "undo": "taken back",
    "reject": "rejected",
    "resume": "resumed",
    "skip": "step skipped",
    "promote-full": "promoted in full",
    "retry": "tried again",
    "pause": "paused",
    "restart": "pods restarted",
    "scale": "scaled",
    "terminate": "analysis ended",
    "nothing": "a command without effect",
    "switch": "switched",
    "switch-back": "switched back",
    "alert": "a person is called",
}
_MOST_WEIGHTS, _FIRST, _LAST = 8, 30, 8
_LONG_FLOAT = re.compile(r"\d+\.\d{4,}(?:e-?\d+)?")


class Line(NamedTuple):
    """One thing that happened, seconds after the apply."""

    t_s: float
    text: str


def story(journal: Journal) -> tuple[Line, ...]:
    """What happened, in order; of a very long story only its beginning and its end."""
    told = list(dict.fromkeys(sorted(_lines(journal), key=lambda line: line.t_s)))
    left_out = len(told) - _FIRST - _LAST
    if left_out <= 1:
        return tuple(told)
    note = Line(told[_FIRST].t_s, f"({left_out} lines are left out)")
    return (*told[:_FIRST], note, *told[-_LAST:])


def _lines(journal: Journal) -> Iterator[Line]:
    yield from _weights(journal)
    yield from _faults(journal)
    yield from _measurements(journal)
    yield from _waits(journal)
    yield from _decisions(journal)
    yield from _turns(journal)
    for start, end in quiet_s(journal):
        yield Line(start, f"soak: nothing is changed for {length(end - start)}")


def _decisions(journal: Journal) -> Iterator[Line]:
    """Who decided what, and why; not again what the run's own reason says."""
    known = end_of(journal).reason
    for record in of_kind(journal, DecisionRecord):
        actor = "" if record.decision == "alert" else f" by {_actor(record.actor)}"
        reason = f": {record.reason}" if record.reason and record.reason not in known else ""
        what = _DECISIONS.get(record.decision, record.decision)
        yield Line(record.t_s, f"{_place(record.region)}{what}{actor}{reason}")


def _actor(actor: str) -> str:
    return {"person": "a person", "analysis": "the analysis", "script": "the script", "controller": "the controller",
            "argo-cd": "Argo CD", "api-server": "the API server"}.get(actor, actor)  # fmt: skip


def _weights(journal: Journal) -> Iterator[Line]:
    """Every weight that stood for a while: each in its line, or, where they are many, a line a region."""
    settled = {region: tuple(_settled(records)) for region, records in _by_region(journal).items()}
    if sum(map(len, settled.values())) <= _MOST_WEIGHTS:
        for region, found in settled.items():
            yield from (
                Line(w.t_s, f"{_place(region)}{digits(w.candidate, 1)} % of the traffic to the release") for w in found
            )
        return
    for region, found in settled.items():
        steps = ", ".join(f"{digits(w.candidate, 1)} % ({clock(w.t_s)})" for w in found)
        if found:
            yield Line(found[0].t_s, f"{_place(region)}traffic to the release: {steps}")


def _by_region(journal: Journal) -> dict[str, list[WeightRecord]]:
    found: dict[str, list[WeightRecord]] = {}
    for record in of_kind(journal, WeightRecord):
        found.setdefault(record.region, []).append(record)
    return found


def _settled(records: Sequence[WeightRecord]) -> Iterator[WeightRecord]:
    told = records[0].candidate
    for record, following in pairwise((*records, None)):
        if record is None or (following is not None and following.t_s - record.t_s < _SETTLED_S):
            continue
        if record.candidate not in {told, 0.0}:
            yield record
        told = record.candidate


def _faults(journal: Journal) -> Iterator[Line]:
    for record in of_kind(journal, FaultRecord):
        yield Line(record.t_s, f"{_place(record.region)}fault {record.state}: {record.fault} ({record.target})")


def _measurements(journal: Journal) -> Iterator[Line]:
    """The first failing measurement of every metric."""
    known = set[tuple[str, str]]()
    for record in of_kind(journal, MeasurementRecord):
        key = (record.region, record.metric)
        if record.phase in _FAILING and key not in known:
            known.add(key)
            said = _LONG_FLOAT.sub(lambda match: f"{float(match[0]):.4g}", record.value) or record.message
            yield Line(
                record.t_s, f"{_place(record.region)}{record.metric} fails for the first time: {said or record.phase}"
            )


def _waits(journal: Journal) -> Iterator[Line]:
    """Pauses that somebody has to end."""
    for record in of_kind(journal, StepRecord):
        if record.state == "started" and record.step in {"pause", "pause {}"}:
            yield Line(record.t_s, f"{_place(record.region)}waits for a person's approval")


def _turns(journal: Journal) -> Iterator[Line]:
    """The turns that the figures are measured between."""
    harm, exposed, end = harm_s(journal), exposed_s(journal), end_of(journal)
    for record in of_kind(journal, WeightRecord):
        if not record.candidate and not record.stable:
            yield Line(record.t_s, f"{_place(record.region)}all traffic goes where no pod is")
    if harm is not None:
        yield Line(harm, "harm begins")
    restored = restored_s(journal)
    if exposed is not None and restored is not None and restored > exposed:
        yield Line(restored, "the stable version serves everybody again")
    yield Line(end.ended_s, f"the rollout has ended: {end.verdict.value}")


def _place(region: str) -> str:
    return f"{region}: " if region else ""
