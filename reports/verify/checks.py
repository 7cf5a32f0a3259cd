"""What was asked for beforehand, run by run: the answer and why."""

from __future__ import annotations

from collections.abc import Iterator

from reports.numbers import length, number
from reports.verify.card import Answer, Check, Pairing, RunComparison
from reports.verify.thresholds import Thresholds


def checks(found: RunComparison, pairing: Pairing, thresholds: Thresholds) -> tuple[Check, ...]:
    """Every check of one run, in the order of the thresholds' file."""
    if len(pairing.twin) < thresholds.replications:
        why = f"only {len(pairing.twin)} replications of the twin, fewer than the {thresholds.replications} asked for"
        return (Check("replications", Answer.UNDECIDED, why),)
    return (
        _verdict(found, pairing, thresholds),
        _step(found, pairing),
        _time(found, pairing, thresholds),
        *_load(found, pairing, thresholds),
        *_latency(found, thresholds),
    )


def _verdict(found: RunComparison, pairing: Pairing, thresholds: Thresholds) -> Check:
    own, share = found.run.facts.decision.verdict, number(found.verdict_share, "share")
    why = f"{own.value}, as {share} of the twin's replications"
    if pairing.near:
        least = thresholds.near.verdict_share
        passed = found.verdict_share >= least
        return Check("verdict", _answer(passed), f"{why}; near a threshold at least {number(least, 'share')} must be")
    return Check("verdict", _answer(found.same_verdict), why)


def _step(found: RunComparison, pairing: Pairing) -> Check:
    where = found.run.facts.place or "no step"
    why = f"{where}, as {number(found.decision_share, 'share')} of the twin's replications"
    if pairing.near:
        return Check("step", Answer.NOT_ASKED, f"{why}; near a threshold")
    return Check("step", _answer(found.same_step), why)


def _time(found: RunComparison, pairing: Pairing, thresholds: Thresholds) -> Check:
    time = found.time
    if time is None:
        if found.run.facts.decided_s is None:
            return Check("time to decision", Answer.NOT_ASKED, "nothing was decided within the run")
        return Check("time to decision", Answer.FAIL, "no replication of the twin ended alike")
    if pairing.near:
        # From the nearest end of the interval in which the twin itself decides.
        nearest = min(max(time.cluster_s, time.low_s), time.high_s)
        apart, allowed = abs(time.cluster_s - nearest), thresholds.time.of(nearest)
        known = f"the twin's 90 % interval {length(time.low_s)} to {length(time.high_s)}"
    else:
        apart, allowed = abs(time.error_s), thresholds.time.of(time.twin_s)
        known = f"the twin's median {length(time.twin_s)}"
    why = f"{length(time.cluster_s)} against {known} of {found.kin}: {apart:.1f} s apart, {allowed:.1f} s allowed"
    return Check("time to decision", _answer(apart <= allowed), why)


def _load(found: RunComparison, pairing: Pairing, thresholds: Thresholds) -> Iterator[Check]:
    if thresholds.load is None:
        return
    rates = [facts.requests / facts.covered_s for facts in pairing.twin if facts.covered_s]
    facts = found.run.facts
    if not rates or not facts.covered_s:
        yield Check("load", Answer.UNDECIDED, "no traffic was recorded")
        return
    rate = sum(rates) / len(rates)
    expected = rate * facts.covered_s
    passed = abs(facts.requests - expected) <= thresholds.load.of(expected)
    achieved = facts.requests / facts.covered_s
    yield Check("load", _answer(passed), f"{achieved:.1f} requests/s against the twin's {rate:.1f}")


def _latency(found: RunComparison, thresholds: Thresholds) -> Iterator[Check]:
    for side, ks in found.latency:
        most = thresholds.latency_distance
        why = f"distance {ks.distance:.3f} over {ks.cluster:,} answers"
        if most is None:
            yield Check(f"latency, {side}", Answer.NOT_ASKED, why)
        else:
            yield Check(f"latency, {side}", _answer(ks.distance <= most), f"{why}, {most:g} allowed")


def _answer(passed: bool) -> Answer:
    return Answer.PASS if passed else Answer.FAIL
