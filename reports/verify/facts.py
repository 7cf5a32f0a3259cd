"""What a comparison keeps of one run, of the twin or of a cluster: its decision, its series over time, its counts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reports.kpis import client_counts, extra_pod_hours
from reports.reasons import causes
from reports.views import (
    CANDIDATE,
    STOPS,
    Journal,
    after_apply,
    end_of,
    header_of,
    intervals,
    last_s,
    of_kind,
)
from sim.model.records import (
    DecisionRecord,
    PodRecord,
    RunResult,
    StepRecord,
    TrafficRecord,
    Verdict,
    WeightRecord,
)

Steps = tuple[tuple[float, float], ...]
"""(since second, value): holds until the next."""


class Measure(StrEnum):
    """Figures of a run for which the twin's interval is held against the cluster's value."""

    TIME = "time to decision"
    """Seconds from the apply to the decision; none for a run without one."""
    FAILED = "failed requests"
    """Client requests since the apply that finally failed."""
    ERROR_RATIO = "error ratio"
    """The same as a share of all of them."""
    EXPOSED = "requests to the release"
    """Share of the client requests since the apply that the candidate answered."""
    EXTRA_PODS = "extra pod-hours"
    """Pods above the desired count, from the apply to the end of the run."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and where; equal for runs that decided alike."""

    verdict: Verdict
    step: int | None
    """Index of the step under way when the release was first decided against; None if it never was, or had no steps."""
    causes: tuple[str, ...]
    """The metrics that decided, or the reason without figures; () for a promoted release."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One run, reduced."""

    backend: str
    seed: int
    decision: Decision
    reason: str
    place: str
    """The decision's step in words; '' for none."""
    decided_s: float | None
    """First decision against the release, else the end of its rollout; None for a release that got stuck."""
    ended_s: float
    last_s: float
    warm_up_s: float
    requests: float
    covered_s: float
    """How long the traffic rows since the apply are, together."""
    values: tuple[tuple[Measure, float | None], ...]
    weights: Steps
    """Percent of the traffic given to the candidate; the mean over regions."""
    ready: tuple[tuple[str, Steps], ...]
    """Ready pods by side."""
    failures: tuple[tuple[float, float, float], ...]
    """(until second, requests, failures) of all clients, by traffic interval."""
    latency: tuple[tuple[str, tuple[int, ...]], ...]
    """Answers since the apply by side and bucket."""
    buckets_s: tuple[float, ...]

    def value(self, measure: Measure) -> float | None:
        """One figure."""
        return dict(self.values)[measure]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Facts:
        """The facts that ``sim.model.hashing.canonical_json`` wrote."""
        decision = data["decision"]
        tuples = {name: _frozen(value) for name, value in data.items() if name not in {"kind", "decision", "values"}}
        return cls(
            decision=Decision(Verdict(decision["verdict"]), decision["step"], tuple(decision["causes"])),
            values=tuple((Measure(name), value) for name, value in data["values"]),
            **tuples,
        )


def facts_of(result: RunResult) -> Facts:
    """The reduction that a comparison applies to every run."""
    journal = result.journal
    header, end = header_of(journal), end_of(journal)
    stop = next((d for d in of_kind(journal, DecisionRecord) if d.decision in STOPS), None)
    step = _step(journal, stop)
    rows = after_apply(intervals(journal))
    return Facts(
        backend=header.backend,
        seed=header.seed,
        decision=Decision(
            end.verdict,
            None if step is None else step.index,
            () if end.verdict is Verdict.PROMOTED else causes(end.reason),
        ),
        reason=end.reason,
        place="" if step is None else f"step {step.index + 1} ({step.step})",
        decided_s=_decided_s(journal, stop),
        ended_s=end.ended_s,
        last_s=last_s(journal),
        warm_up_s=header.warm_up_s,
        requests=client_counts(journal)[0],
        covered_s=max((row.end_s for row in rows), default=0.0) - min((row.start_s for row in rows), default=0.0),
        values=tuple(_values(journal, stop).items()),
        weights=_weights(journal),
        ready=_ready(journal),
        failures=_failures(journal),
        latency=_latency(journal),
        buckets_s=header.buckets_s,
    )


def _decided_s(journal: Journal, stop: DecisionRecord | None) -> float | None:
    end = end_of(journal)
    if stop is not None:
        return stop.t_s
    return None if end.verdict is Verdict.STUCK else end.ended_s


def _step(journal: Journal, stop: DecisionRecord | None) -> StepRecord | None:
    """The step under way when the release was first decided against."""
    if stop is None:
        return None
    begun = (s for s in of_kind(journal, StepRecord) if s.region == stop.region and s.t_s <= stop.t_s)
    started = [step for step in begun if step.state == "started"]
    return started[-1] if started else None


def _values(journal: Journal, stop: DecisionRecord | None) -> dict[Measure, float | None]:
    requests, failures = client_counts(journal)
    exposed = sum(row.requests for row in after_apply(intervals(journal)) if row.side == CANDIDATE)
    return {
        Measure.TIME: _decided_s(journal, stop),
        Measure.FAILED: failures,
        Measure.ERROR_RATIO: failures / requests if requests else None,
        Measure.EXPOSED: exposed / requests if requests else None,
        Measure.EXTRA_PODS: extra_pod_hours(journal),
    }


def _weights(journal: Journal) -> Steps:
    rows = list(of_kind(journal, WeightRecord))
    by_region = {row.region: 0.0 for row in rows}
    found: list[tuple[float, float]] = []
    for row in rows:
        by_region[row.region] = row.candidate
        found.append((row.t_s, sum(by_region.values()) / len(by_region)))
    return tuple(found)


def _ready(journal: Journal) -> tuple[tuple[str, Steps], ...]:
    """Ready pods of each side after every change."""
    ready: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in of_kind(journal, PodRecord):
        pods = ready[row.side]
        (pods.add if row.state == "ready" else pods.discard)((row.region, row.pod))
        steps = found[row.side]
        if steps and steps[-1][0] == row.t_s:
            steps.pop()
        if not steps or steps[-1][1] != len(pods):
            steps.append((row.t_s, float(len(pods))))
    return tuple((side, tuple(found[side])) for side in sorted(found))


def _failures(journal: Journal) -> tuple[tuple[float, float, float], ...]:
    found: defaultdict[float, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in intervals(journal):
        found[row.end_s][0] += row.requests
        found[row.end_s][1] += row.failures
    return tuple((end_s, *found[end_s]) for end_s in sorted(found))  # type: ignore[misc]  # two numbers each


def _latency(journal: Journal) -> tuple[tuple[str, tuple[int, ...]], ...]:
    found: dict[str, list[int]] = {}
    for row in of_kind(journal, TrafficRecord):
        if row.t_s > 0 and any(row.latency_counts):
            known = found.setdefault(row.side, [0] * len(row.latency_counts))
            found[row.side] = [a + b for a, b in zip(known, row.latency_counts, strict=True)]
    return tuple((side, tuple(found[side])) for side in sorted(found))


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
