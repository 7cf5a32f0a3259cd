"""Attempts to traffic rows: the same windows, sides and meanings as the twin's. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.load.attempts import Attempt
from sim.model.records import TrafficRecord

SIDES: Final = ("none", "stable", "candidate")
"""In the order in which the twin writes the rows of one instant."""
LAG_S: Final = 1.0
"""An attempt is known of so long after its end at the latest."""
_EPSILON_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Windows:
    """The grid of the traffic rows: from the warm-up's begin on, one every interval; times in seconds after the apply.

    ``applied_at`` is UNIX time.
    """

    applied_at: float
    warm_up_s: float
    interval_s: float
    buckets_s: tuple[float, ...]
    region: str = ""

    def rows(self, attempts: Iterable[Attempt], end_s: float) -> tuple[TrafficRecord, ...]:
        """Every row of a run that ended at ``end_s``; the last window may be shorter."""
        by_window: dict[int, list[Attempt]] = {}
        for attempt in attempts:
            t_s = attempt.end_s - self.applied_at
            if -self.warm_up_s <= t_s < end_s:
                by_window.setdefault(int((t_s + self.warm_up_s) // self.interval_s), []).append(attempt)
        found = (self._window(by_window[k], self._edge(k), min(self._edge(k + 1), end_s)) for k in sorted(by_window))
        return tuple(row for window in found for row in window)

    def _edge(self, k: int) -> float:
        return round(k * self.interval_s - self.warm_up_s, 6)

    def _window(self, attempts: Sequence[Attempt], start_s: float, end_s: float) -> Iterator[TrafficRecord]:
        for side in SIDES:
            chosen = [one for one in attempts if one.sent and side_of(one) == side]
            if chosen:
                yield _row(chosen, side, start_s, end_s, self)


class Watch:
    """The windows as they close, for whoever watches clients while the run goes on."""

    def __init__(self, windows: Windows, lag_s: float = LAG_S) -> None:
        self._windows = windows
        self._lag_s = lag_s
        """How long attempts may be on their way to us; what comes later still is left to the rows at the end."""
        self._waiting: list[Attempt] = []
        self._taken_s = -windows.warm_up_s

    def add(self, attempts: Iterable[Attempt]) -> None:
        """What has been heard since."""
        self._waiting.extend(attempts)

    def closed(self, now_s: float) -> Iterator[tuple[float, tuple[TrafficRecord, ...]]]:
        """(end, rows) of every window that has closed since the last call, also of those without any request."""
        while (end_s := round(self._taken_s + self._windows.interval_s, 6)) <= now_s - self._lag_s + _EPSILON_S:
            at = self._windows.applied_at + end_s
            rows = self._windows.rows((one for one in self._waiting if one.end_s < at), end_s)
            # Stragglers of earlier windows come in rows of their own; people see them with this one.
            yield end_s, rows
            self._waiting = [one for one in self._waiting if one.end_s >= at]
            self._taken_s = end_s


def side_of(attempt: Attempt) -> str:
    """Whose pods the attempt reached; ``none`` for no pod at all."""
    return attempt.side if attempt.side in SIDES else "none"


def latency_s(attempt: Attempt) -> float:
    """What the pod says that it took; the client's own measure where it says nothing."""
    return attempt.took_s if attempt.took_s is not None else attempt.end_s - attempt.start_s


def is_answer(attempt: Attempt) -> bool:
    """Whether somebody answered by the end of the client's patience: what a pod answers later nobody gets to hear."""
    return attempt.status > 0 and not attempt.timed_out


def is_failure(attempt: Attempt) -> bool:
    """Whether a client's request finally failed with this attempt: a time-out, a 5xx or no answer, and no other follows."""
    return not attempt.again and (attempt.timed_out or attempt.status == 0 or attempt.status >= 500)


def _row(attempts: Sequence[Attempt], side: str, start_s: float, end_s: float, windows: Windows) -> TrafficRecord:
    answers = [one for one in attempts if is_answer(one)]
    latencies = [latency_s(one) for one in answers]
    return TrafficRecord(
        t_s=end_s,
        region=windows.region,
        width_s=round(end_s - start_s, 6),
        side=side,
        statuses=tuple(sorted(Counter(one.status for one in answers).items())),
        latency_counts=_histogram(latencies, windows.buckets_s),
        latency_sum_s=round(sum(latencies), 6),
        client_requests=sum(not one.again for one in attempts),
        client_failures=sum(is_failure(one) for one in attempts),
        timeouts=sum(one.timed_out for one in attempts),
        retries=sum(one.again for one in attempts),
    )


def _histogram(latencies_s: Iterable[float], bounds_s: tuple[float, ...]) -> tuple[int, ...]:
    """By bucket, not cumulated; a bound itself belongs to the bucket below it, the last count is above all."""
    counts = Counter(bisect_left(bounds_s, latency) for latency in latencies_s)
    return tuple(counts[k] for k in range(len(bounds_s) + 1))


def error_ratio(rows: Sequence[TrafficRecord]) -> float:
    """Share of the clients' requests that finally failed; 0 without requests."""
    total = sum(row.client_requests for row in rows)
    return sum(row.client_failures for row in rows) / total if total else 0.0
