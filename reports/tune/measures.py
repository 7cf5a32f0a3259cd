"""What a search optimises and must keep to: indicators by name, of all releases or of one kind, as means or quantiles."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, log1p
from typing import Final

from reports.outcome import Outcome
from reports.scoring import PROPORTIONS
from reports.statistics import NOTHING, Estimate, Sample, difference, mean, proportion, proportion_difference, wilson
from reports.tune import sequence
from sim.model.kpis import KPI_MEANINGS, Kpi
from sim.model.units import go_duration_s
from sim.study import Stratum

Kinds = Mapping[Stratum, Sequence[Outcome]]
"""Replications of every kind of release that was simulated."""

_QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_STATS: Final = ("mean", *_QUANTILES)
_OF_GOOD: Final = frozenset({Kpi.FALSE_ABORT_RATE})
_OF_BAD: Final = frozenset({Kpi.MISS_RATE, Kpi.TIME_TO_DETECT, Kpi.BAD_FULL_TRAFFIC_MINUTES})
_UNSUPPORTED: Final = frozenset({Kpi.DEPLOYMENT_FREQUENCY})
_MINUTES: Final = {"min": 60.0, "h": 3600.0}
_CONSTRAINT: Final = re.compile(r"([^<>=]+?)\s*(<=|>=|<|>)\s*([^<>=]+)")


@dataclass(frozen=True, slots=True)
class Measure:
    """``KPI[@RELEASE][:STAT]``: an indicator, of one kind of release or all, as a mean or a quantile."""

    kpi: Kpi
    release: str = ""
    stat: str = "mean"

    @property
    def text(self) -> str:
        """As users write it."""
        return "".join(
            [self.kpi.value, f"@{self.release}" if self.release else "", f":{self.stat}" * (self.stat != "mean")]
        )

    @property
    def unit(self) -> str:
        """The indicator's."""
        return KPI_MEANINGS[self.kpi].unit

    @property
    def quantile(self) -> float | None:
        """Which quantile; None for a mean or a proportion."""
        return _QUANTILES.get(self.stat)

    def concerns(self, stratum: Stratum) -> bool:
        """Whether releases of this kind count."""
        if self.release and stratum.name != self.release:
            return False
        return stratum.good if self.kpi in _OF_GOOD else not stratum.good if self.kpi in _OF_BAD else True

    def samples(self, kinds: Kinds, first: int | None = None) -> list[Sample]:
        """One sample for each kind that counts, of its first replications."""
        mine = [(stratum, outcomes) for stratum, outcomes in kinds.items() if self.concerns(stratum)]
        return [
            Sample(stratum.share, tuple(one.value(self.kpi) for one in outcomes[:first])) for stratum, outcomes in mine
        ]

    def estimate(self, kinds: Kinds, level: float) -> Estimate:
        """Its value with an interval; NOTHING where it applied to no replication."""
        samples = self.samples(kinds)
        if self.quantile is not None:
            return _quantile([value for sample in samples for value in sample.applying], self.quantile, level)
        return (proportion if self.kpi in PROPORTIONS else mean)(samples, level)

    def difference(self, ours: Kinds, theirs: Kinds, level: float) -> Estimate:
        """How much larger it is in ours, replication by replication, over as many as both have; of quantiles of the means."""
        common = min((len(outcomes) for kinds in (ours, theirs) for outcomes in kinds.values()), default=0)
        estimator = proportion_difference if self.kpi in PROPORTIONS else difference
        return estimator(self.samples(ours, common), self.samples(theirs, common), level)


def _quantile(values: Sequence[float], share: float, level: float) -> Estimate:
    """The order statistic, between those whose ranks a binomial count of values below it would still allow."""
    if not values:
        return NOTHING
    ranked, n = sorted(values), len(values)
    bounds = wilson(share * n, n, level)
    at = ranked[min(n, max(1, ceil(share * n))) - 1]
    low, high = ceil(bounds.lo * n), ceil(bounds.hi * n) + 1
    # The largest of too few values says nothing of how much larger they get.
    return Estimate(at, ranked[max(1, low) - 1], ranked[high - 1] if high <= n else None, n)


@dataclass(frozen=True, slots=True)
class Objective:
    """What to make small (or large)."""

    measure: Measure
    maximise: bool = False

    @property
    def text(self) -> str:
        """As users write it."""
        return f"{self.measure.text}:{'max' if self.maximise else 'min'}"

    @property
    def sign(self) -> int:
        """Times the value: less is better."""
        return -1 if self.maximise else 1


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a policy must keep to: ``KPI[@RELEASE][:STAT] < LIMIT``, the limit in the indicator's own unit."""

    measure: Measure
    sign: str
    limit: float
    text: str

    @property
    def _below(self) -> bool:
        return self.sign[0] == "<"

    def _holds(self, value: float) -> bool:
        return {"<": value < self.limit, "<=": value <= self.limit, ">": value > self.limit}.get(
            self.sign, value >= self.limit
        )

    def violation(self, estimate: Estimate) -> float:
        """By how much of the limit the estimate breaks it; 0 or less where it does not, 1 where there is none."""
        if estimate.mean is None:
            return 1.0
        if self._holds(estimate.mean):
            return 0.0
        # Just at the limit of a strict constraint is outside of it.
        return max(abs(estimate.mean - self.limit) / (abs(self.limit) or 1.0), 1e-9)

    def met(self, kinds: Kinds, level: float) -> bool | None:
        """True if the whole interval keeps to it, False if none of it does, else None: undecided.

        A quantile's is judged by the share of replications that keep to the limit, whose interval is Wilson's.
        """
        if self.measure.quantile is not None:
            values = [value for sample in self.measure.samples(kinds) for value in sample.applying]
            return self._met_by_share(values, level)
        estimate = self.measure.estimate(kinds, level)
        if estimate.lo is None or estimate.hi is None:
            return None
        ends = self._holds(estimate.lo), self._holds(estimate.hi)
        return True if all(ends) else None if any(ends) else False

    def _met_by_share(self, values: Sequence[float], level: float) -> bool | None:
        if not values or self.measure.quantile is None:
            return None
        bounds = wilson(sum(map(self._holds, values)), len(values), level)
        wanted = self.measure.quantile if self._below else 1 - self.measure.quantile
        return True if bounds.lo >= wanted else False if bounds.hi < wanted else None

    @property
    def allowed(self) -> float | None:
        """Share of replications that may break it; None for a constraint that is no cap on such a share."""
        quantile = self.measure.quantile
        if quantile is not None:
            return round(1 - quantile if self._below else quantile, 12)
        caps = self.measure.kpi in PROPORTIONS and self._below and 0 < self.limit < 1
        return self.limit if caps else None

    def followed(self, kinds: Kinds, level: float) -> Estimate | None:
        """The share that breaks it, with an interval that holds however often one looks; None where there is no one share."""
        kept, of = self._of_one_share(kinds)
        if self.allowed is None or not of:
            return None
        return Estimate((of - kept) / of, *sequence.bounds(of - kept, of, self.allowed, level), of)

    def _of_one_share(self, kinds: Kinds) -> tuple[int, int]:
        """As ``kept_by``; (0, 0) where several kinds of release count, whose shares are weighted."""
        return self.kept_by(kinds) if sum(map(self.measure.concerns, kinds)) == 1 else (0, 0)

    def followed_to(self, kinds: Kinds, level: float) -> bool | None:
        """As ``met``, by the interval of ``followed``; once decided it may be left at that."""
        kept, of = self._of_one_share(kinds)
        if (
            self.allowed is None
            or not of
            or sequence.evidence(of - kept, of, self.allowed, self.allowed) < -log1p(-level)
        ):
            return None
        return of - kept < self.allowed * of

    def kept_by(self, kinds: Kinds) -> tuple[int, int]:
        """How many replications keep to the limit, of how many to which it applies."""
        values = [value for sample in self.measure.samples(kinds) for value in sample.applying]
        return sum(map(self._holds, values)), len(values)


def read_objective(text: str, strata: Sequence[Stratum]) -> Objective:
    """``KPI[@RELEASE][:STAT][:min|max]``, by default the indicator's better direction; ValueError with what is wrong."""
    head, colon, last = text.strip().rpartition(":")
    direction = last if colon and last in {"min", "max"} else ""
    measure = read_measure(head if direction else text, strata)
    better = KPI_MEANINGS[measure.kpi].better
    return Objective(measure, direction == "max" if direction else better > 0)


def read_constraint(text: str, strata: Sequence[Stratum]) -> Constraint:
    """``KPI[@RELEASE][:STAT]<LIMIT`` (also <=, >, >=), the limit as 0.01, 1%, 2m or a number; ValueError if it is none."""
    match = _CONSTRAINT.fullmatch(text.strip())
    if match is None:
        msg = "must be an indicator, <, <=, > or >=, and a limit, as in false_abort_rate<1%"
        raise ValueError(msg)
    measure = read_measure(match[1], strata)
    return Constraint(measure, match[2], _limit(match[3].strip(), measure.unit), text.strip())


def read_measure(text: str, strata: Sequence[Stratum]) -> Measure:
    """``KPI[@RELEASE][:STAT]``; ValueError with what is wrong and what there is."""
    head, colon, stat = text.strip().partition(":")
    name, at, release = head.partition("@")
    measure = Measure(_kpi(name.strip()), release.strip(), stat.strip() if colon else "mean")
    if measure.stat not in _STATS:
        msg = f"{measure.stat!r} is not among {', '.join(_STATS)}"
        raise ValueError(msg)
    if at and not any(stratum.name == measure.release for stratum in strata):
        msg = f"no release is named {measure.release!r}; releases here: {', '.join(s.name for s in strata)}"
        raise ValueError(msg)
    concerned = [stratum.name for stratum in strata if measure.concerns(stratum)]
    if not concerned:
        kind = "good" if measure.kpi in _OF_GOOD else "bad"
        msg = f"{measure.kpi.value} applies to {kind} releases, and {measure.release or 'there is none'}"
        raise ValueError(msg + (" is none" if measure.release else ""))
    if measure.quantile is not None and len(concerned) > 1:
        msg = f"a quantile is of one kind of release: {measure.kpi.value}@{concerned[0]}:{measure.stat}, or another of {', '.join(concerned)}"
        raise ValueError(msg)
    if measure.quantile is not None and measure.kpi in PROPORTIONS:
        msg = f"{measure.kpi.value} is a share of replications and has no quantiles"
        raise ValueError(msg)
    return measure


def _kpi(name: str) -> Kpi:
    known = [kpi.value for kpi in Kpi if kpi not in _UNSUPPORTED]
    if name in known:
        return Kpi(name)
    if name in {kpi.value for kpi in _UNSUPPORTED}:
        msg = f"{name} follows from deployment_duration and the sync windows: search for that"
        raise ValueError(msg)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    msg = f"{name or 'nothing'} is no indicator; {hint}"
    raise ValueError(msg)


def _limit(text: str, unit: str) -> float:
    """The limit in the indicator's unit: shares may be percentages, times may be durations."""
    reading: list[Callable[[], float]] = [lambda: float(text)]
    if unit == "share" and text.endswith("%"):
        reading = [lambda: float(text[:-1]) / 100]
    elif unit in _MINUTES and text[-1:].isalpha():
        reading = [lambda: go_duration_s(text) / _MINUTES[unit]]
    try:
        value = reading[0]()
    except (ValueError, IndexError):
        value = inf
    if not abs(value) < inf:
        msg = f"{text!r} is no limit for an indicator in {unit}"
        raise ValueError(msg)
    return value
