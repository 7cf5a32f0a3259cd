"""Independent Poisson sources, and what each request of one is. Standard library and the model only."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from random import Random

from harness.load.plan import LoadPlan


class Source:
    """Source ``number`` of a plan: a Poisson process whose rate is the plan's, divided by the sources there are.

    Its arrivals depend on the plan's seed and region and its number alone: not on other sources, nor on how fast anybody answers.
    """

    def __init__(self, plan: LoadPlan, number: int) -> None:
        self._plan = plan
        self._number = number
        name = f"{plan.seed}/{plan.region}/{number}"
        self._arrivals = Random(f"{name}/arrivals")  # noqa: S311 - simulation, not secrets
        self._kinds = Random(f"{name}/kinds")  # noqa: S311
        self._pauses = Random(f"{name}/pauses")  # noqa: S311
        self._below = list(accumulate(one.share for one in plan.classes))
        self._t_s = -plan.warm_up_s

    def next_s(self, limit_s: float) -> float | None:
        """The next arrival if it comes before ``limit_s``; None if none does, and then go on from there.

        Thinning: arrivals at the bound's rate, of which each is kept with probability rate/bound.
        """
        plan = self._plan
        while plan.bound_rps > 0:
            at_s = self._t_s + self._arrivals.expovariate(plan.bound_rps)
            if at_s >= limit_s:
                break
            self._t_s = at_s
            if self._arrivals.random() * plan.bound_rps < self.rate_rps(at_s):
                return at_s
        # Memoryless: having waited in vain until the limit is no reason for the next to come sooner.
        self._t_s = max(self._t_s, limit_s)
        return None

    def rate_rps(self, t_s: float) -> float:
        """This source's own rate."""
        number = self._plan.sources_at(t_s)
        return self._plan.rate_rps(t_s) / number if self._number < number else 0.0

    def draw_class(self) -> int:
        """Place of the next request's class among the plan's."""
        return min(bisect(self._below, self._kinds.random() * self._below[-1]), len(self._below) - 1)

    def pause_s(self) -> float:
        """The client's pause before it tries again."""
        return self._plan.client.backoff_s * self._pauses.uniform(0.5, 1.5)


def goes_on(plan: LoadPlan, attempt: int, status: int, timed_out: bool) -> bool:
    """Whether the client tries again: after a time-out, a status of ``retry_on`` or no answer, as long as it may."""
    client = plan.client
    return attempt < client.retries and (timed_out or status == 0 or status in client.retry_on)
