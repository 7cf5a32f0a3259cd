"""Counts since the last look, by group."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim.traffic.fleet import Fleet, lengthened, widened
from sim.traffic.jit import kernel
from sim.traffic.state import CLIENT_FAILURES, CLIENT_REQUESTS, RETRIES, TICKS_PER_S, TIMEOUTS, Pods, Tally
from sim.traffic.values import NONE_GROUP, Counts, WindowCount


class Totals(NamedTuple):
    """Everything since the start, by group + 1: answers by slot, latencies by exposed bucket, their sum, clients' side.

    There is always a row for ``NONE_GROUP``; codes and groups that came later have longer arrays.
    """

    answers: Counts
    buckets: Counts
    ticks: Counts
    client: Counts


@kernel
def add_up(pods: Pods, tally: Tally, bucket_starts: Counts, count: int, totals: Totals) -> None:
    """Add what the first ``count`` rows of pods have done to zeroed totals of their groups."""
    for pod in range(count):
        place = pods.rows[pod]["group"] + 1
        totals.ticks[place] += pods.rows[pod]["ticks"]
        for slot in range(tally.answers.shape[1]):
            totals.answers[place, slot] += tally.answers[pod, slot]
        add_buckets(tally.latencies[pod], bucket_starts, totals.buckets[place])


@kernel
def add_buckets(cells: Counts, bucket_starts: Counts, buckets: Counts) -> None:
    """Add the cells of one pod to exposed buckets."""
    for bucket in range(len(buckets)):
        end = bucket_starts[bucket + 1] if bucket + 1 < len(buckets) else len(cells)
        for cell in cells[bucket_starts[bucket] : end]:
            buckets[bucket] += cell


class Windows:
    """What every group had reached when the last window was taken, and how many attempts each pod had been sent."""

    def __init__(self, start_s: float) -> None:
        self._taken_s = start_s
        self._totals: Totals | None = None
        self._arrived: Counts = np.zeros(0, dtype=np.int64)

    def take(self, fleet: Fleet, now_s: float) -> tuple[WindowCount, ...]:
        """A window for each group with pods, and for ``NONE_GROUP`` once a request found no pod."""
        groups = np.unique(fleet.pods.rows["group"][: len(fleet.behaviours)]).tolist()
        since = self.take_all(fleet, now_s)
        return tuple(
            window(fleet, since, group) for group in groups if group != NONE_GROUP or fleet.tally.answers[0].any()
        )

    def take_all(self, fleet: Fleet, now_s: float) -> Totals:
        """The same as arrays, with a row for every number of a group."""
        self._taken_s, self._arrived = now_s, fleet.pods.rows["arrived"][: len(fleet.behaviours)].copy()
        reached = totals(fleet)
        since = reached if self._totals is None else difference(reached, self._totals)
        self._totals = reached
        return since

    def offered_rps(self, fleet: Fleet, pod: int, now_s: float) -> float:
        """Attempts a second that reached this row since the last window."""
        width_s = now_s - self._taken_s
        before = int(self._arrived[pod]) if pod < len(self._arrived) else 0
        return (int(fleet.pods.rows[pod]["arrived"]) - before) / width_s if width_s > 0 else 0.0


def window(fleet: Fleet, since: Totals, group: int) -> WindowCount:
    """One group's part of what happened."""
    client = since.client[group + 1]
    return WindowCount(
        group=group,
        statuses=tuple(sorted(fleet.statuses(since.answers[group + 1]).items())),
        latency_counts=tuple(since.buckets[group + 1].tolist()),
        latency_sum_s=int(since.ticks[group + 1]) / TICKS_PER_S,
        client_requests=int(client[CLIENT_REQUESTS]),
        client_failures=int(client[CLIENT_FAILURES]),
        timeouts=int(client[TIMEOUTS]),
        retries=int(client[RETRIES]),
    )


def totals(fleet: Fleet) -> Totals:
    """Everything the groups have done since the start."""
    tally, starts = fleet.tally, fleet.layout.bucket_starts
    groups = len(tally.client)
    found = Totals(
        np.zeros((groups, tally.answers.shape[1]), dtype=np.int64),
        np.zeros((groups, len(starts)), dtype=np.int64),
        np.zeros(groups, dtype=np.int64),
        tally.client.copy(),
    )
    add_up(fleet.pods, tally, starts, len(fleet.behaviours), found)
    return found


def difference(now: Totals, earlier: Totals) -> Totals:
    """What came between two totals."""
    groups, slots = now.answers.shape
    if earlier.answers.shape != now.answers.shape:
        earlier = Totals(*(lengthened(array, groups) for array in earlier))
        earlier = earlier._replace(answers=widened(earlier.answers, slots))
    return Totals(*(reached - before for reached, before in zip(now, earlier, strict=True)))
