"""How near the load came to what was planned: rate, lateness, and what was never sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final

from harness.load.attempts import Attempt
from harness.load.plan import LoadPlan, instants

LAG_BOUND_S: Final = 0.05
"""Bound on the 99th percentile of how late requests are sent; well under any latency that a gate looks at."""
_SIGMAS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Achieved:
    """Of the requests (their first attempts) that were due in a stretch of ``seconds``."""

    seconds: float
    expected: float
    """Requests that the plan makes in expectation."""
    due: int
    sent: int
    lag_p50_s: float
    lag_p99_s: float

    @property
    def rate_rps(self) -> float:
        """Requests sent a second."""
        return self.sent / self.seconds if self.seconds else 0.0

    @property
    def overflow(self) -> int:
        """Requests never sent, because as many as may be were under way."""
        return self.due - self.sent

    @property
    def problems(self) -> tuple[str, ...]:
        """What makes this load another one than planned, one sentence each; empty for a good one."""
        return tuple(self._problems())

    def _problems(self) -> Iterable[str]:
        if self.lag_p99_s > LAG_BOUND_S:
            yield f"1 % of the requests were sent {self.lag_p99_s:.3f} s late or more (bound: {LAG_BOUND_S:g} s)"
        if self.overflow:
            yield f"{self.overflow} of {self.due} requests were never sent: too many were under way"
        if abs(self.due - self.expected) > _SIGMAS * sqrt(self.expected) + _SIGMAS:
            yield f"{self.due} requests were due where the plan makes {self.expected:.0f}"

    def __str__(self) -> str:
        rate = f"{self.rate_rps:.1f} requests/s over {self.seconds:.0f} s (planned: {self._planned:.1f})"
        lag = (
            f"sent {1000 * self.lag_p50_s:.1f} ms (median) and {1000 * self.lag_p99_s:.1f} ms (p99) after they were due"
        )
        return "; ".join([rate, lag, *self.problems])

    @property
    def _planned(self) -> float:
        return self.expected / self.seconds if self.seconds else 0.0


def achieved(attempts: Iterable[Attempt], plan: LoadPlan, applied_at: float, end_at: float) -> Achieved:
    """From the plan's begin until ``end_at``; ``applied_at`` is the UNIX time of the plan's t = 0.

    A request is known once it has ended: ``end_at`` should lie the clients' patience before the load was stopped.
    """
    begin_at = applied_at - plan.warm_up_s
    due = [one for one in attempts if one.attempt == 0 and begin_at <= one.scheduled_s < end_at]
    lags = sorted(one.lag_s for one in due if one.sent)
    return Achieved(
        seconds=end_at - begin_at,
        expected=expected(plan, -plan.warm_up_s, end_at - applied_at),
        due=len(due),
        sent=len(lags),
        lag_p50_s=_quantile(lags, 0.50),
        lag_p99_s=_quantile(lags, 0.99),
    )


def expected(plan: LoadPlan, start_s: float, end_s: float) -> float:
    """Requests in expectation, by the trapezoidal rule between the corners of the rate."""
    times = list(instants(plan.load, start_s, end_s))
    rates = [plan.rate_rps(t) for t in times]
    steps = zip(times, times[1:], rates, rates[1:], strict=False)
    return sum((later - earlier) * (a + b) / 2 for earlier, later, a, b in steps)


def _quantile(ordered: list[float], q: float) -> float:
    return ordered[ceil(q * len(ordered)) - 1] if ordered else 0.0
