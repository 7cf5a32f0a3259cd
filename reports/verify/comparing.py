"""From pairings to the comparison: each cluster's run against the twin's replications, then all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from reports.scorecard import About
from reports.statistics import wilson
from reports.verify.agreement import LEVEL, agreement
from reports.verify.card import (
    ClusterRun,
    Cover,
    Coverage,
    Pairing,
    PairingComparison,
    RunComparison,
    TimeError,
    Verification,
)
from reports.verify.checks import checks
from reports.verify.facts import Decision, Facts, Measure
from reports.verify.series import Kolmogorov, deviation, kolmogorov
from reports.verify.thresholds import Thresholds


def verify(
    pairings: Sequence[Pairing], thresholds: Thresholds, replications: int, seed: int, about: About
) -> Verification:
    """Everything that can be said about these pairings; ValueError for one without replications."""
    compared = tuple(_pairing(pairing, thresholds) for pairing in pairings)
    every = [(pairing, run) for pairing in compared for run in pairing.runs]
    steps = [(_step_of(pairing.decision), _step_of(run.run.facts.decision)) for pairing, run in every]
    clear = [pair for pair, (pairing, _) in zip(steps, every, strict=True) if not pairing.pairing.near]
    return Verification(
        pairings=compared,
        verdicts=agreement([(p.decision.verdict, run.run.facts.decision.verdict) for p, run in every]),
        steps=agreement(steps),
        clear_steps=agreement(clear),
        causes=agreement([(_causes_of(p.decision), _causes_of(run.run.facts.decision)) for p, run in every]),
        coverage=tuple(_coverage(measure, [run for _, run in every]) for measure in Measure),
        thresholds=thresholds,
        replications=replications,
        seed=seed,
        about=about,
    )


def _step_of(decision: Decision) -> tuple[str, int | None]:
    return decision.verdict.value, decision.step


def _causes_of(decision: Decision) -> tuple[str, tuple[str, ...]]:
    return decision.verdict.value, decision.causes


def _pairing(pairing: Pairing, thresholds: Thresholds) -> PairingComparison:
    decision, place = _commonest(pairing.twin)
    verdicts = Counter(facts.decision.verdict for facts in pairing.twin)
    steps = Counter((facts.decision.verdict, facts.place) for facts in pairing.twin)
    n = len(pairing.twin)
    return PairingComparison(
        pairing,
        decision,
        place,
        tuple((verdict, count / n) for verdict, count in verdicts.most_common()),
        tuple((verdict, step, count / n) for (verdict, step), count in steps.most_common()),
        tuple(_run(pairing, decision, run, thresholds) for run in pairing.cluster),
    )


def _commonest(twin: Sequence[Facts]) -> tuple[Decision, str]:
    """The commonest verdict, of these the commonest step, of these the commonest causes; of equals the first met."""
    verdict = Counter(facts.decision.verdict for facts in twin).most_common(1)[0][0]
    left = [facts for facts in twin if facts.decision.verdict is verdict]
    step = Counter(facts.decision.step for facts in left).most_common(1)[0][0]
    left = [facts for facts in left if facts.decision.step == step]
    causes = Counter(facts.decision.causes for facts in left).most_common(1)[0][0]
    chosen = next(facts for facts in left if facts.decision.causes == causes)
    return chosen.decision, chosen.place


def _run(pairing: Pairing, decision: Decision, run: ClusterRun, thresholds: Thresholds) -> RunComparison:
    own, twin = run.facts.decision, pairing.twin
    same_verdict = [facts for facts in twin if facts.decision.verdict is own.verdict]
    alike = [facts for facts in same_verdict if facts.decision.step == own.step]
    # Near a threshold a verdict falls at several steps; elsewhere the step is part of what was decided.
    peers = same_verdict if pairing.near else alike or same_verdict
    kin, words = (peers, _kin_words(peers, alike)) if peers else (list(twin), "all replications, as none ended alike")
    time = _time(run.facts, peers)
    end_s = min(run.facts.last_s, median(facts.last_s for facts in kin))
    found = RunComparison(
        run=run,
        same_verdict=own.verdict is decision.verdict,
        same_step=_step_of(own) == _step_of(decision),
        same_causes=_causes_of(own) == _causes_of(decision),
        verdict_share=len(same_verdict) / len(twin),
        decision_share=len(alike) / len(twin),
        kin=words,
        time=time,
        weights=deviation(run.facts.weights, [facts.weights for facts in kin], end_s),
        ready=tuple(
            (side, found)
            for side, steps in run.facts.ready
            if (found := deviation(steps, [dict(facts.ready).get(side, ()) for facts in kin], end_s)) is not None
        ),
        latency=tuple(_latency(run.facts, kin)),
        covers=tuple(_cover(measure, run.facts, twin) for measure in Measure),
        checks=(),
    )
    return _judged(found, pairing, thresholds)


def _judged(found: RunComparison, pairing: Pairing, thresholds: Thresholds) -> RunComparison:
    return replace(found, checks=checks(found, pairing, thresholds))


def _kin_words(peers: Sequence[Facts], alike: Sequence[Facts]) -> str:
    what = "verdict and step" if len(peers) == len(alike) else "verdict"
    return f"{len(peers)} replications with the same {what}"


def _time(run: Facts, peers: Sequence[Facts]) -> TimeError | None:
    times = [facts.decided_s for facts in peers if facts.decided_s is not None]
    if run.decided_s is None or not times:
        return None
    low, middle, high = (float(value) for value in np.percentile(times, (5, 50, 95)))
    return TimeError(run.decided_s, middle, low, high, len(times))


def _latency(run: Facts, kin: Sequence[Facts]) -> Iterator[tuple[str, Kolmogorov]]:
    for side, counts in run.latency:
        ours = [np.asarray(known) for facts in kin if (known := dict(facts.latency).get(side)) is not None]
        same = all(facts.buckets_s == run.buckets_s for facts in kin)
        if ours and same and (found := kolmogorov([int(n) for n in np.sum(ours, axis=0)], counts)) is not None:
            yield side, found


def _cover(measure: Measure, run: Facts, twin: Sequence[Facts]) -> Cover:
    value, known = run.value(measure), [v for facts in twin if (v := facts.value(measure)) is not None]
    if not known:
        return Cover(measure, value, None, None, None)
    low, high = (float(bound) for bound in np.percentile(known, (5, 95)))
    return Cover(measure, value, low, high, None if value is None else low <= value <= high)


def _coverage(measure: Measure, runs: Sequence[RunComparison]) -> Coverage:
    given = [cover.inside for run in runs for cover in run.covers if cover.measure is measure]
    known = [inside for inside in given if inside is not None]
    return Coverage(measure, sum(known), len(known), wilson(sum(known), len(known), LEVEL) if known else None)
