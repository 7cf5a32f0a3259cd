"""The comparison in words, the same in text, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence

from reports.numbers import digits, length, number
from reports.verify.agreement import Agreement
from reports.verify.card import (
    Answer,
    Coverage,
    Pairing,
    PairingComparison,
    RunComparison,
    TimeError,
    Verification,
)
from reports.verify.facts import Decision
from reports.verify.series import Deviation


def about_text(found: Verification) -> str:
    """How much was compared: ``12 scenarios, 14 cluster runs; 50 replications of the twin each, seed 1``."""
    scenarios, runs = len(found.pairings), len(found.runs)
    return (
        f"{_count(scenarios, 'scenario')}, {_count(runs, 'cluster run')}; {found.replications} replications of the twin "
        f"each, seed {found.seed}"
    )


def headlines(found: Verification) -> tuple[str, ...]:
    """What to know first."""
    return (
        _answer_text(found),
        f"Verdict: {agreement_text(found.verdicts)}.",
        f"Verdict and step: {agreement_text(found.steps)}"
        + (f"; not near a threshold {_share(found.clear_steps)}." if found.clear_steps.of else "."),
        f"Verdict and reason: {agreement_text(found.causes)}.",
        *_times_text(found),
    )


def _answer_text(found: Verification) -> str:
    failed = [(p, r) for p, r in found.runs if r.answer is Answer.FAIL]
    match found.answer:
        case Answer.PASS:
            return "Everything that was asked for beforehand holds."
        case Answer.FAIL:
            names = ", ".join(dict.fromkeys(pairing.pairing.name for pairing, _ in failed))
            return f"Not everything that was asked for beforehand holds: {_count(len(failed), 'run')} ({names})."
        case Answer.UNDECIDED:
            return "What was asked for beforehand holds as far as can be said; some is undecided."
        case Answer.NOT_ASKED:
            return "Nothing was judged."


def agreement_text(found: Agreement) -> str:
    """``11 of 12 runs (65 .. 99 %), kappa 0.81``."""
    if found.bounds is None:
        return "no runs"
    low, high = (digits(100 * bound) for bound in (found.bounds.lo, found.bounds.hi))
    kappa = f"kappa {found.kappa:.2f}" if found.kappa is not None else found.why_no_kappa
    return f"the same in {_share(found)} ({low} .. {high} %), {kappa}"


def _share(found: Agreement) -> str:
    return f"{found.same} of {_count(found.of, 'run')}"


def _times_text(found: Verification) -> tuple[str, ...]:
    times = [run.time for _, run in found.runs if run.time is not None]
    if not times:
        return ()
    errors = [time.error_s for time in times]
    strictly = sum(abs(time.error_s) <= found.thresholds.time.of(time.twin_s) for time in times)
    limit = found.thresholds.time
    text = (
        f"Time to decision: the twin's median is on average {abs(_mean(errors)):.1f} s "
        f"{'later' if _mean(errors) >= 0 else 'earlier'} than the cluster, {_mean([abs(e) for e in errors]):.1f} s apart; "
        f"{strictly} of {len(times)} medians are within {number(limit.relative, 'share')} or {limit.absolute_s:g} s."
    )
    return (text,)


def near_text(pairing: Pairing) -> str:
    """``near a threshold`` or nothing."""
    return "near a threshold" if pairing.near else ""


def name_text(pairing: Pairing) -> str:
    """The scenario's name, and what kind of release where that is another word."""
    return (
        pairing.name if pairing.release in pairing.name or not pairing.release else f"{pairing.name}, {pairing.release}"
    )


def decision_text(decision: Decision, place: str) -> str:
    """``aborted in step 3 (analysis)``."""
    return f"{decision.verdict.value} in {place}" if place else decision.verdict.value


def twin_text(found: PairingComparison) -> str:
    """How the twin's replications end: ``aborted in step 3 (analysis) 78 %, ... ``."""
    parts = [
        f"{verdict.value}{f' in {step}' if step else ''} {number(share, 'share')}"
        for verdict, step, share in found.steps
    ]
    return "; ".join(parts[:4]) + (f"; {len(parts) - 4} others" if len(parts) > 4 else "")


def run_text(run: RunComparison) -> str:
    """How the cluster's run ended."""
    return decision_text(run.run.facts.decision, run.run.facts.place)


def time_text(time: TimeError | None) -> str:
    """``33.1 s, twin 34.0 s (32.2 .. 44.9): +0.9 s, +3 %``; the sign is the twin's error."""
    if time is None:
        return "-"
    relative = "" if time.relative is None else f", {100 * time.relative:+.0f} %"
    return (
        f"{time.cluster_s:.1f} s, twin {time.twin_s:.1f} s ({time.low_s:.1f} .. {time.high_s:.1f}): "
        f"{time.error_s:+.1f} s{relative}"
    )


def deviation_text(found: Deviation | None, unit: str) -> str:
    """``mean 1.2, most 30 %, 2 s later``."""
    if found is None:
        return "-"
    when = "" if not found.shift_s else f", {length(found.shift_s)} {'later' if found.shift_s > 0 else 'earlier'}"
    return f"mean {digits(found.mean, 2)}, most {digits(found.most, 2)} {unit}{when}"


def latency_text(run: RunComparison) -> str:
    """``stable 0.04 (8,000), candidate 0.06 (1,200)``: distances and the cluster's answers."""
    parts = [f"{side} {ks.distance:.3f} ({ks.cluster:,} answers, twin {ks.twin:,})" for side, ks in run.latency]
    return ", ".join(parts) or "-"


def covers_text(run: RunComparison) -> str:
    """Which of the twin's 90 % intervals hold the cluster's value, and which do not."""
    inside = [cover.measure.value for cover in run.covers if cover.inside]
    outside = [
        f"{cover.measure.value} {value_text(cover.value)} ({value_text(cover.low)} .. {value_text(cover.high)})"
        for cover in run.covers
        if cover.inside is False
    ]
    parts = [f"holds {', '.join(inside)}"] if inside else []
    parts += [f"misses {', '.join(outside)}"] if outside else []
    return "; ".join(parts) or "-"


def figures(run: RunComparison) -> list[tuple[str, str]]:
    """Everything that is reported of a run besides its checks, as (what, text)."""
    return [
        ("time to decision", time_text(run.time)),
        ("weight of the release", deviation_text(run.weights, "%")),
        *((f"ready pods, {side}", deviation_text(apart, "pods")) for side, apart in run.ready),
        ("latency distance", latency_text(run)),
        ("90 % interval", covers_text(run)),
    ]


def value_text(value: float | None) -> str:
    """Three digits."""
    return "-" if value is None else digits(value)


def coverage_text(found: Coverage) -> str:
    """``9 of 12 (47 .. 91 %)``."""
    if found.bounds is None:
        return "no data"
    return f"{found.inside} of {found.of} ({digits(100 * found.bounds.lo)} .. {digits(100 * found.bounds.hi)} %)"


def thresholds_text(found: Verification) -> str:
    """What was asked for, in a sentence."""
    asked = found.thresholds
    load = (
        "" if asked.load is None else f", load within {number(asked.load.relative, 'share')} and what chance explains"
    )
    latency = "" if asked.latency_distance is None else f", latency distance at most {asked.latency_distance:g}"
    return (
        f"Asked for beforehand: the twin's commonest verdict and step, time to decision within "
        f"{number(asked.time.relative, 'share')} or {asked.time.absolute_s:g} s of its median{load}{latency}; near a threshold a "
        f"verdict of at least {number(asked.near.verdict_share, 'share')} of its replications, any step, and the same distance from "
        "their 90 % interval."
    )


def method_text() -> str:
    """How the figures are to be read."""
    return (
        "The twin's decision is the commonest of its replications. Times and series are compared with those replications "
        "that decided as the cluster did; distances of latency distributions are those at the histogram's bounds. "
        "A 90 % interval holds nine of ten values only if the model is right and the replications are many. "
        "Intervals of shares are Wilson's at 95 %."
    )


def _count(number_: int, noun: str) -> str:
    return f"{number_} {noun}{'' if number_ == 1 else 's'}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
