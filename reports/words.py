"""Numbers and verdicts in words, the same in text, Markdown and HTML."""

from __future__ import annotations

from reports.numbers import interval_text, number
from reports.scorecard import KpiScore, Score, StrategyScore, TargetCheck
from reports.statistics import Estimate
from sim.model.kpis import KPI_MEANINGS, Kpi, KpiTarget
from sim.model.records import Verdict

KPI_NAMES: dict[Kpi, str] = {
    Kpi.LEAD_TIME: "Lead time",
    Kpi.DEPLOYMENT_FREQUENCY: "Deployment frequency",
    Kpi.CHANGE_FAILURE_RATE: "Change failure rate",
    Kpi.CHANGE_FAILURE_RATE_WITH_ABORTS: "Change failure rate with aborts",
    Kpi.RECOVERY_TIME: "Recovery time",
    Kpi.DEPLOYMENT_DURATION: "Deployment duration",
    Kpi.TIME_TO_DETECT: "Time to detect",
    Kpi.FAILED_REQUESTS: "Extra failed requests",
    Kpi.BAD_FULL_TRAFFIC_MINUTES: "Bad full-traffic minutes",
    Kpi.ERROR_BUDGET_BURN: "Error budget used",
    Kpi.EXTRA_POD_HOURS: "Extra pod-hours",
    Kpi.UNPLANNED_DOWNTIME: "Unplanned downtime",
    Kpi.FALSE_ABORT_RATE: "False abort rate",
    Kpi.MISS_RATE: "Miss rate",
}

_MET = {True: "yes", False: "no", None: "undecided"}
_VERBS = (
    ("misses", frozenset({"no", "never"})),
    ("undecided on", frozenset({"undecided"})),
    ("no data on", frozenset({"no data"})),
    ("meets", frozenset({"yes"})),
)


def estimate_text(kpi: KpiScore) -> str:
    """Mean and interval: ``4.2 min (3.9 .. 4.6)``; ``at least`` in front of a lower bound; ``n/a`` for nothing."""
    text = interval_text(kpi.estimate, kpi.unit)
    return f"at least {text}" if kpi.lower_bounds else text


def mean_text(kpi: KpiScore) -> str:
    """The mean alone: ``4.2 min``; ``>`` in front of a lower bound; ``-`` for nothing."""
    text = number(kpi.estimate.mean, kpi.unit)
    return f"> {text}" if kpi.lower_bounds and kpi.estimate.mean is not None else text


def proportion_text(estimate: Estimate) -> str:
    """A share with its interval, in percent."""
    return interval_text(estimate, "share")


def target_text(check: TargetCheck, kpi: Kpi) -> str:
    """The target as written: ``< 15 min``, ``≥ 7 a week``."""
    return bound_text(KpiTarget(kpi, check.period, check.value, check.strict))


def bound_text(target: KpiTarget) -> str:
    """The bound of a target as written: ``< 15 min``."""
    meaning = KPI_MEANINGS[target.kpi]
    sign = ("<" if target.strict else "≤") if meaning.better < 0 else (">" if target.strict else "≥")
    return f"{sign} {number(target.value, meaning.unit)}"


def met_text(check: TargetCheck | None, kpi: KpiScore) -> str:
    """Whether the target is met, in a word or two."""
    if check is None:
        return "no target"
    if kpi.estimate.mean is None:
        return "never" if check.met is False else "no data"
    return _MET[check.met]


def decides_text(check: TargetCheck | None) -> str:
    """For an undecided target, how many replications would decide it: ``needs about 150``; else nothing."""
    if check is None or check.met is not None:
        return ""
    return "" if check.replications is None else f"needs about {number(check.replications, 'requests')}"


def answer(strategy: StrategyScore) -> str:
    """One sentence a manager understands: what becomes of good and bad releases, and whether the targets are met."""
    return f"{_fate(strategy)} {_targets(strategy)}"


def _fate(strategy: StrategyScore) -> str:
    if strategy.share(Verdict.REJECTED) > 1 - 1e-9:
        return "Every release is rejected before it starts: nothing ever reaches production."
    parts = []
    if any(stratum.good for stratum in strategy.mix):
        passed = 1 - (strategy.kpi(Kpi.FALSE_ABORT_RATE).estimate.mean or 0.0)
        parts.append(f"{_share(passed)} good releases get through")
    if any(not stratum.good for stratum in strategy.mix):
        stopped = 1 - (strategy.kpi(Kpi.MISS_RATE).estimate.mean or 0.0)
        parts.append(f"{_share(stopped)} bad releases are stopped before they serve everybody")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _share(share: float) -> str:
    if share in {0.0, 1.0}:
        return "no" if share == 0 else "all"
    return f"{number(min(max(share, 0.001), 0.999), 'share')} of"


def _targets(strategy: StrategyScore) -> str:
    targets = [kpi for kpi in strategy.kpis if kpi.target is not None]
    if not targets:
        return "No targets are declared."
    said = {kpi.kpi: met_text(kpi.target, kpi) for kpi in targets}
    if set(said.values()) == {"yes"}:
        return "Meets its target." if len(targets) == 1 else f"Meets all {len(targets)} targets."
    parts = [
        f"{verb} {join([KPI_NAMES[kpi].lower() for kpi, word in said.items() if word in words])}"
        for verb, words in _VERBS
        if not words.isdisjoint(said.values())
    ]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def join(names: list[str]) -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def dora_text(kpi: KpiScore) -> str:
    """The clusters that contain the mean, best first as the table lists them; ``none`` in a gap or beyond all."""
    if kpi.dora is None:
        return "-"
    return " or ".join(kpi.dora) or "none"


def overall(score: Score) -> str:
    """One line about the study: how many runs, of what."""
    kinds = max((len(strategy.mix) for strategy in score.strategies), default=0)
    cells = len(score.strategies)
    return (
        f"{cells} {'strategy' if cells == 1 else 'strategies and variants'}, up to {kinds} kind{'s' if kinds != 1 else ''} "
        f"of release, {score.replications} replications each, seed {score.seed}"
    )


def plane_text(aggregate_share: float) -> str:
    """How requests were simulated: ``drawn in aggregate 93 % of the time, simulated one by one for the rest``."""
    if aggregate_share <= 0:
        return "simulated one by one all the time"
    if aggregate_share >= 1:
        return "drawn in aggregate all the time"
    return f"drawn in aggregate {number(aggregate_share, 'share')} of the time, simulated one by one for the rest"
