"""Counts since the last look, by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.traffic.fine import by_bucket
from sim.traffic.fleet import Fleet
from sim.traffic.state import CLIENT_FAILURES, CLIENT_REQUESTS, RETRIES, TICKS_PER_S, TIMEOUTS
from sim.traffic.values import NONE_GROUP, Counts, WindowCount


class Totals(NamedTuple):
    """One group since the start; arrays never shrink, they are longer where codes were added since."""

    answers: Counts
    latencies: Counts
    ticks: int
    client: Counts


class Windows:
    """What every group had reached when the last window was taken, and how many attempts each pod had been sent."""

    def __init__(self, start_s: float) -> None:
        self._taken_s = start_s
        self._totals: dict[int, Totals] = {}
        self._arrived: Counts = np.zeros(0, dtype=np.int64)

    def take(self, fleet: Fleet, now_s: float) -> tuple[WindowCount, ...]:
        """A window for each group with pods, and for ``NONE_GROUP`` once a request found no pod."""
        rows = fleet.pods.rows[: len(fleet.behaviours)]
        groups = [
            group for group in np.unique(rows["group"]).tolist() if group != NONE_GROUP or fleet.tally.answers[0].any()
        ]
        self._taken_s, self._arrived = now_s, rows["arrived"].copy()
        return tuple(self._window(fleet, group) for group in groups)

    def take_all(self, fleet: Fleet, now_s: float, groups: Sequence[int]) -> tuple[Totals, ...]:
        """The same as arrays, for these groups."""
        self._taken_s, self._arrived = now_s, fleet.pods.rows["arrived"][: len(fleet.behaviours)].copy()
        return tuple(self._since(fleet, group) for group in groups)

    def offered_rps(self, fleet: Fleet, pod: int, now_s: float) -> float:
        """Attempts a second that reached this row since the last window."""
        width_s = now_s - self._taken_s
        before = int(self._arrived[pod]) if pod < len(self._arrived) else 0
        return (int(fleet.pods.rows[pod]["arrived"]) - before) / width_s if width_s > 0 else 0.0

    def _window(self, fleet: Fleet, group: int) -> WindowCount:
        answers, latencies, ticks, client = self._since(fleet, group)
        return WindowCount(
            group=group,
            statuses=tuple(sorted(fleet.statuses(answers).items())),
            latency_counts=tuple(by_bucket(latencies, fleet.layout).tolist()),
            latency_sum_s=ticks / TICKS_PER_S,
            client_requests=int(client[CLIENT_REQUESTS]),
            client_failures=int(client[CLIENT_FAILURES]),
            timeouts=int(client[TIMEOUTS]),
            retries=int(client[RETRIES]),
        )

    def _since(self, fleet: Fleet, group: int) -> Totals:
        reached = totals(fleet, group)
        earlier = self._totals.get(group)
        self._totals[group] = reached
        return reached if earlier is None else difference(reached, earlier)


def totals(fleet: Fleet, group: int) -> Totals:
    """Everything a group has done since the start."""
    rows = fleet.pods.rows[: len(fleet.behaviours)]
    members = np.flatnonzero(rows["group"] == group)
    return Totals(
        fleet.tally.answers[members].sum(axis=0),
        fleet.tally.latencies[members].sum(axis=0),
        int(rows["ticks"][members].sum()),
        fleet.tally.client[group + 1].copy(),
    )


def difference(now: Totals, earlier: Totals) -> Totals:
    """What came between two totals of a group."""
    answers = now.answers.copy()
    answers[: len(earlier.answers)] -= earlier.answers
    return Totals(answers, now.latencies - earlier.latencies, now.ticks - earlier.ticks, now.client - earlier.client)
