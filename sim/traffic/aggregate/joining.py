"""Readings of both planes as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.traffic.aggregate.plane import Aggregate
from sim.traffic.aggregate.readings import Readings
from sim.traffic.interface import Look, Observation, Samples, WindowSeries
from sim.traffic.plane import DataPlane
from sim.traffic.values import NONE_GROUP, PodSample, WindowCount

Totals = tuple[NDArray[Any], ...]
"""Answers, buckets, sums of latencies and clients' counts, by window and group."""

FEW_LOOKS: Final = 8
"""Answers kept of a plane that stands still."""


class Joined:
    """Adds up, instant by instant, what the two planes have counted; windows are since the last one taken."""

    def __init__(self, aggregate: Aggregate, start_s: float) -> None:
        self._aggregate = aggregate
        self.groups: set[int] = set()
        self._taken_s = start_s
        self._arrived: NDArray[np.float64] = np.zeros(0)
        self._before: Totals | None = None
        self._is_unrouted = False
        self._still_s = -np.inf
        self._still: dict[Look, Samples] = {}
        self._nothing: WindowSeries | None = None

    def begin(self, readings: Readings, looks: Sequence[Look], windows_s: tuple[float, ...]) -> None:
        """Some readings are to be made."""
        self._readings, self._looks, self._windows_s = readings, looks, windows_s
        self._exact: list[list[Samples]] = [[] for _ in looks]
        self._exact_windows: list[WindowSeries] = []
        self._missed: list[int] = [0 for _ in looks]
        self._missed_windows = 0

    def take(self, exact: DataPlane | None, instant_s: float) -> None:
        """Read the exact plane, if there is one, where it stands."""
        here = [k for k, look in enumerate(self._looks) if instant_s in look.instants_s]
        is_window = instant_s in self._windows_s
        if is_window:
            self._taken_s = instant_s
            self._arrived = self._arrived_by_pod(exact)
        if exact is None:
            for k in here:
                self._missed[k] += 1
            self._missed_windows += is_window
            return
        looks = [replace(self._looks[k], instants_s=(exact.now_s,)) for k in here]
        read = exact.observe(looks, (exact.now_s,) if is_window else ())
        for k, samples in zip(here, read.samples, strict=True):
            self._exact[k].append(samples)
        if read.windows is not None:
            self._exact_windows.append(read.windows)

    def stay(self, exact: DataPlane | None) -> None:
        """The aggregate has read everything already; the exact plane, if there is one, has stood still."""
        windows = self._windows_s
        if windows:
            self._taken_s, self._arrived = windows[-1], self._arrived_by_pod(exact)
        if exact is None:
            return
        if exact.now_s != self._still_s:
            self._still_s, self._still, self._nothing = exact.now_s, {}, None
        self._exact = [[self._standing(exact, look)] * len(look.instants_s) for look in self._looks]
        if windows:
            self._exact_windows = self._standing_windows(exact, len(windows))

    def end(self) -> Observation:
        """Everything read."""
        samples = tuple(self._samples(k) for k in range(len(self._looks)))
        return Observation(samples, self._series() if self._windows_s else None)

    def offered_rps(self, exact: DataPlane | None, pod: int, now_s: float) -> float:
        """Attempts a second that reached a pod since the last window."""
        width_s = now_s - self._taken_s
        before = float(self._arrived[pod]) if pod < len(self._arrived) else 0.0
        return max(0.0, float(self._arrived_by_pod(exact)[pod]) - before) / width_s if width_s > 0 else 0.0

    def windows(self, observed: Observation) -> tuple[WindowCount, ...]:
        """The one window read, as values; ``NONE_GROUP`` only once a request has found no pod."""
        series = observed.windows
        if series is None:
            return ()
        self._is_unrouted |= bool(series.answers[0, 0].any())
        return tuple(
            _window(series, place, group)
            for place, group in enumerate(series.groups)
            if group != NONE_GROUP or self._is_unrouted
        )

    def _standing(self, exact: DataPlane, look: Look) -> Samples:
        """What a plane that stands still answers to a look; it is asked once."""
        asked = replace(look, instants_s=(exact.now_s,))
        if asked not in self._still:
            if len(self._still) >= FEW_LOOKS:
                self._still.clear()
            (self._still[asked],) = exact.observe([asked]).samples
        return self._still[asked]

    def _standing_windows(self, exact: DataPlane, count: int) -> list[WindowSeries]:
        """What has come since the last window, if any of it has not been read yet, and then nothing."""
        groups = len(self.groups)
        if self._nothing is not None and len(self._nothing.groups) == groups + 1:
            return [self._nothing] * count
        first = exact.observe([], (exact.now_s,)).windows
        if first is None:
            return []
        arrays = {
            name: np.zeros_like(getattr(first, name)) for name in ("answers", "buckets", "latency_sum_s", "clients")
        }
        self._nothing = replace(first, **arrays)
        return [first, *[self._nothing] * (count - 1)]

    def _arrived_by_pod(self, exact: DataPlane | None) -> NDArray[np.float64]:
        arrived = self._aggregate.crew.pods.arrived[: len(self._aggregate.crew.behaviours)].copy()
        if exact is not None:
            own = exact.arrivals()
            arrived[: len(own)] += own
        return arrived

    def _samples(self, look: int) -> Samples:
        own, others, missed = self._readings.samples(look), self._exact[look], self._missed[look]
        if not others:
            return own
        codes = others[-1].codes
        answers = _stacked([one.answers for one in others], missed)
        refused = tuple(one for samples in others for one in samples.refused)
        return Samples(
            (*own.codes, *codes),
            np.concatenate([own.answers, answers], axis=-1),
            own.buckets + _stacked([one.buckets for one in others], missed),
            own.latency_sum_s + _stacked([one.latency_sum_s for one in others], missed),
            own.fine + _stacked([one.fine for one in others], missed),
            (*({} for _ in range(missed)), *refused) if self._looks[look].refused else (),
        )

    def _series(self) -> WindowSeries:
        results = self._readings.results
        reached: Totals = (
            results.group_answers,
            results.group_buckets,
            results.group_sums_s,
            results.group_client,
        )
        answers, buckets, sums_s, clients = self._since(reached)
        groups = sorted(self.groups)
        # Nearly always there are as many as the highest of them says.
        every = groups == list(range(answers.shape[1] - 1))
        rows: Any = slice(None) if every else [0, *(group + 1 for group in groups)]
        own = WindowSeries(
            self._windows_s,
            (NONE_GROUP, *groups),
            tuple(self._aggregate.crew.codes),
            answers[:, rows],
            buckets[:, rows],
            sums_s[:, rows],
            clients[:, rows],
        )
        if not self._exact_windows:
            return own
        others, missed = self._exact_windows, self._missed_windows
        return replace(
            own,
            codes=(*own.codes, *others[-1].codes),
            answers=np.concatenate([own.answers, _stacked([one.answers for one in others], missed)], axis=-1),
            buckets=own.buckets + _stacked([one.buckets for one in others], missed),
            latency_sum_s=own.latency_sum_s + _stacked([one.latency_sum_s for one in others], missed),
            clients=own.clients + _stacked([one.clients for one in others], missed),
        )

    def _since(self, reached: Totals) -> Totals:
        """Differences of successive totals, the first to those of the last window taken."""
        before = self._before
        self._before = tuple(total[-1] for total in reached)
        made: list[NDArray[Any]] = []
        for k, total in enumerate(reached):
            change = total.copy()
            change[1:] -= total[:-1]
            if before is not None:
                change[0][tuple(slice(0, length) for length in before[k].shape)] -= before[k]
            made.append(change)
        return tuple(made)


def counted(samples: Samples, *, buckets: bool, fine: bool) -> PodSample:
    """The one reading of one pod, as a value."""
    statuses: Counter[int] = Counter()
    for code, count in zip(samples.codes, samples.answers[0, 0].tolist(), strict=True):
        if count:
            statuses[code] += count
    return PodSample(
        dict(statuses),
        tuple(samples.buckets[0, 0].tolist()) if buckets else (),
        float(samples.latency_sum_s[0, 0]),
        samples.fine[0, 0] if fine else None,
    )


def _window(series: WindowSeries, place: int, group: int) -> WindowCount:
    statuses: Counter[int] = Counter()
    for code, count in zip(series.codes, series.answers[0, place].tolist(), strict=True):
        if count:
            statuses[code] += count
    requests, failures, timeouts, retries = series.clients[0, place].tolist()
    return WindowCount(
        group,
        tuple(sorted(statuses.items())),
        tuple(series.buckets[0, place].tolist()),
        float(series.latency_sum_s[0, place]),
        requests,
        failures,
        timeouts,
        retries,
    )


def _stacked(parts: Sequence[NDArray[Any]], missed: int) -> NDArray[Any]:
    """One array over all instants; zeros for the first ones, at which there was no plane yet."""
    joined: Any = np.concatenate(parts)
    return np.concatenate([np.zeros((missed, *joined.shape[1:]), dtype=joined.dtype), joined])
