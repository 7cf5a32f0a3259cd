"""Journals, outcomes and studies built by hand, for tests that need no engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reports.outcome import Outcome
from sim.model.behaviour import Release, VersionBehaviour
from sim.model.kpis import Kpi, KpiTarget
from sim.model.manifests import ManifestSet
from sim.model.records import (
    EndRecord,
    HeaderRecord,
    Record,
    RunResult,
    SoakRecord,
    TrafficRecord,
    Verdict,
    WeightRecord,
)
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout
from sim.study import Cell, CellResults, StratumResults, Study, replication_seed, strata

HEADER = HeaderRecord(
    t_s=-120.0,
    schema=1,
    scenario_hash="0123456789ab",
    title="Canary as written",
    strategy="canary",
    variant="as written",
    release="steady",
    release_good=True,
    seed=7,
    backend="twin",
    desired_pods=10,
    slo=0.999,
    warm_up_s=120.0,
    base_failure_ratio=0.0,
    buckets_s=(0.1, 0.5, 1.0),
)


def journal(
    *rows: Record,
    verdict: Verdict = Verdict.PROMOTED,
    ended_s: float = 600.0,
    good: bool = True,
    last_s: float | None = None,
    base: float = 0.0,
    reason: str = "",
) -> tuple[Record, ...]:
    header = replace(HEADER, release_good=good, base_failure_ratio=base, release="steady" if good else "broken")
    end = EndRecord(ended_s if last_s is None else last_s, verdict, reason, ended_s)
    return (header, *rows, end)


def traffic(
    end_s: float,
    side: str,
    requests: int,
    failures: int = 0,
    *,
    width_s: float = 60.0,
    region: str = "tokyo",
    counts: tuple[int, ...] | None = None,
) -> TrafficRecord:
    ok = requests - failures
    return TrafficRecord(
        t_s=end_s,
        region=region,
        width_s=width_s,
        side=side,
        statuses=((200, ok), (500, failures)),
        latency_counts=counts or (ok, 0, failures, 0),
        latency_sum_s=0.05 * ok + 0.7 * failures,
        client_requests=requests,
        client_failures=failures,
        timeouts=0,
        retries=0,
    )


def soak(end_s: float, side: str, requests: float, failures: float, *, width_s: float) -> SoakRecord:
    return SoakRecord(end_s, "tokyo", width_s, side, requests, failures)


def weight(t_s: float, candidate: float, region: str = "tokyo") -> WeightRecord:
    return WeightRecord(t_s, region, candidate, 100.0 - candidate)


def run_result(rows: tuple[Record, ...]) -> RunResult:
    end = rows[-1]
    assert isinstance(end, EndRecord)
    return RunResult("0123456789ab", 7, end.verdict, end.reason, end.ended_s, rows)


STABLE = VersionBehaviour("v1")
MIX = (
    Release("steady", good=True, share=0.88, behaviour=VersionBehaviour("v2")),
    Release("broken", good=False, share=0.12, behaviour=VersionBehaviour("v2")),
)


def scenario(title: str = "Canary", mix: tuple[Release, ...] = MIX, targets: tuple[KpiTarget, ...] = ()) -> Scenario:
    return Scenario(
        title=title,
        strategy=ArgoRollout("api"),
        manifests=ManifestSet(),
        stable=STABLE,
        release=mix[0] if mix else Release("steady", good=True, share=1.0, behaviour=STABLE),
        mix=mix,
        targets=targets,
    )


def outcome(
    verdict: Verdict,
    *,
    good: bool = True,
    values: Mapping[Kpi, float | None] | None = None,
    bounds: tuple[Kpi, ...] = (),
    reason: str = "",
    occupancy_s: float = 600.0,
) -> Outcome:
    given = values or {}
    return Outcome(verdict, reason, good, tuple((kpi, given.get(kpi)) for kpi in Kpi), bounds, occupancy_s)


def study(cells: Sequence[tuple[Cell, Sequence[Sequence[Outcome]]]], seed: int = 1) -> Study[Outcome]:
    results = tuple(
        CellResults(
            cell,
            f"hash-{index}",
            tuple(
                StratumResults(
                    stratum,
                    tuple(replication_seed(seed, stratum.name, i) for i in range(len(values))),
                    tuple(values),
                )
                for stratum, values in zip(strata(cell.scenario), parts, strict=True)
            ),
        )
        for index, (cell, parts) in enumerate(cells)
    )
    return Study(results, len(cells[0][1][0]), seed, "key")
