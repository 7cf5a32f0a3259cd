"""Requests that reach each version in the course of a rollout, and how slow they are: what gates have to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import erfc, exp, log, sqrt

import numpy as np
import numpy.typing as npt

from sim.model.behaviour import Delay, Shape, VersionBehaviour
from sim.model.load import LoadShape
from sim.timetable.values import Point

Floats = npt.NDArray[np.float64]

_STEP_S = 1.0
"""Grid on which rates are added up."""
_BEFORE_S, _MOST_S = 3_600.0, 100_000.0


@dataclass(frozen=True)
class Truth:
    """How a release really is: the share of its answers that are errors, and what its service times become."""

    errors: float
    factor: float = 1.0
    """Service times are multiplied by it ..."""
    add_s: float = 0.0
    """... and lengthened by this."""


def behaviour_of(base: VersionBehaviour, truth: Truth) -> VersionBehaviour:
    """The behaviour with this share of 5xx answers (as 500, which nobody retries) and these service times."""
    others = tuple((status, share) for status, share in base.statuses if status < 500)
    time = base.service_time
    if not truth.add_s:
        time = replace(time, median_s=time.median_s * truth.factor)
    errors = ((500, truth.errors),) if truth.errors > 0 else ()
    return replace(base, statuses=(*others, *errors), service_time=time)


def server_errors(behaviour: VersionBehaviour) -> float:
    """Share of a version's answers that are 5xx of its own."""
    return sum(share for status, share in behaviour.statuses if status >= 500)


def bad_share(behaviour: VersionBehaviour, statuses: frozenset[int]) -> float:
    """Share of a version's answers with one of these statuses."""
    return min(1.0, sum(share for status, share in behaviour.statuses if status in statuses))


def slower_share(behaviour: VersionBehaviour, truth: Truth, bound_s: float) -> float:
    """Share of a version's requests that take longer than the bound, if none of them has to queue."""
    add_s, factor = truth.add_s, truth.factor if truth.add_s else 1.0
    return _beyond(behaviour.service_time, (bound_s - add_s) / factor)


def _beyond(delay: Delay, t_s: float) -> float:
    if t_s <= 0 or delay.median_s <= 0:
        return 1.0 if t_s < delay.median_s or t_s <= 0 else 0.0
    match delay.shape:
        case Shape.CONSTANT:
            return 1.0 if delay.median_s > t_s else 0.0
        case Shape.EXPONENTIAL:
            return exp(-log(2) * t_s / delay.median_s)
        case Shape.LOGNORMAL:
            if delay.sigma <= 0:
                return 1.0 if delay.median_s > t_s else 0.0
            return 0.5 * erfc(log(t_s / delay.median_s) / delay.sigma / sqrt(2))


@dataclass(frozen=True)
class Flow:
    """Requests of a typical rollout: the rate, and the release's share of it over time."""

    load: LoadShape
    points: tuple[Point, ...]
    """Weights and pods, as the timetable has them."""
    lag_s: float = 0.0
    """From a weight being set to the routers acting on it."""
    factor: float = 1.0
    """Times the traffic."""
    weight_factor: float = 1.0
    """Times the release's share, at most to 100 %."""

    def rate_rps(self, at_s: float) -> float:
        """Requests of both versions a second."""
        return self.factor * self.load.rate_rps(max(0.0, at_s))

    def weight(self, at_s: float) -> float:
        """Percent of the requests that the release gets."""
        found = 0.0
        for point in self.points:
            if point.t_s + self.lag_s > at_s:
                break
            found = point.weight
        return min(100.0, found * self.weight_factor)

    def pods(self, at_s: float) -> int:
        """Pods of the release."""
        return max([1, *(point.candidate_pods for point in self.points if point.t_s <= at_s)][-1], 1)

    def held(self, at_s: float) -> Flow:
        """The same, but that nothing changes any more after an instant."""
        return replace(self, points=tuple(point for point in self.points if point.t_s <= at_s))

    @property
    def begins_s(self) -> float:
        """When the release gets its first request."""
        return next((point.t_s + self.lag_s for point in self.points if point.weight > 0), 0.0)

    @cached_property
    def _grid(self) -> tuple[Floats, Floats, Floats]:
        last_s = min(_MOST_S, max((point.t_s for point in self.points), default=0.0) + 7200.0)
        times, middles, rates = _rates(self.load, last_s)
        rates = self.factor * rates
        starts = np.array([point.t_s + self.lag_s for point in self.points])
        weights = np.array([0.0, *(min(100.0, point.weight * self.weight_factor) for point in self.points)])
        shares = weights[np.searchsorted(starts, middles, side="right")] / 100.0
        mine = np.concatenate([[0.0], np.cumsum(rates * shares * _STEP_S)])[:-1]
        others = np.concatenate([[0.0], np.cumsum(rates * (1 - shares) * _STEP_S)])[:-1]
        return times, mine, others

    def until(self, at_s: Sequence[float] | Floats) -> Floats:
        """Requests of the release expected up to each instant."""
        times, mine, _ = self._grid
        return np.interp(at_s, times, mine)

    def others_until(self, at_s: Sequence[float] | Floats) -> Floats:
        """Requests of the stable version expected up to each instant, of the last hour before the apply on."""
        times, _, others = self._grid
        return np.interp(at_s, times, others)


@lru_cache(maxsize=64)
def _rates(load: LoadShape, last_s: float) -> tuple[Floats, Floats, Floats]:
    """The grid up to an instant, its middles and the rates there: they are the same whatever the release's share."""
    times = np.arange(-_BEFORE_S, last_s, _STEP_S)
    middles = times + _STEP_S / 2
    curve = load.curve()
    return times, middles, np.array([curve(max(0.0, t)) for t in middles.tolist()])


def occupation(flow: Flow, behaviour: VersionBehaviour, truth: Truth, at_s: float) -> float:
    """Share of the release's servers that are busy: with more than a half, waiting is no longer rare."""
    time = behaviour.service_time
    mean = {
        Shape.CONSTANT: time.median_s,
        Shape.EXPONENTIAL: time.median_s / log(2),
        Shape.LOGNORMAL: time.median_s * exp(time.sigma**2 / 2),
    }[time.shape]
    if truth.add_s:
        mean = mean * truth.factor + truth.add_s
    servers = flow.pods(at_s) * behaviour.concurrency
    return flow.rate_rps(at_s) * flow.weight(at_s) / 100.0 * mean / servers
