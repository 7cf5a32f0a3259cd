"""What the test of a claim will do, before it is run: exact chances by the recursion over all its states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import floor, log10

import numpy as np
from numpy.typing import NDArray

from reports.gate.sprt import Bounds, Sprt, Walk

_Mass = NDArray[np.float64]
_BOTH, _FOR, _AGAINST = 0, 1, 2
"""Which test has fallen silent: neither, the one for the claim, the one against it."""

MOST = 100_000
"""Replications of one claim, at most."""
CUT_SHORT = 0.01
"""Share of claims a whole margin away from their bound that truncation alone may leave open, where nobody says how long
to look."""
_NOTHING = 1e-14


@dataclass(frozen=True, slots=True)
class Chances:
    """What becomes of a claim that is kept in ``share`` of the replications."""

    share: float
    passed: float
    failed: float
    too_close: float
    """Undecided, because both tests gave up."""
    cut_short: float
    """Undecided for want of replications."""
    mean_replications: float


def chances(test: Sprt, shares: Sequence[float]) -> tuple[Chances, ...]:
    """Exact to rounding, for each true share."""
    tally = _Tally(test, shares)
    while tally.left:
        tally.step()
    return tally.result(shares)


@lru_cache(maxsize=64)
def enough(test: Sprt) -> int:
    """Fewest replications after which at most ``CUT_SHORT`` of claims a margin off the bound are open; two digits, rounded up.

    More would only be spent on claims that are too close to call; fewer would leave clear ones open. Within a tolerance
    claims are to be decided too.
    """
    low, high = test.clear
    tally = _Tally(test, (low, (low + high) / 2, high) if test.tolerance else (low, high))
    while tally.seen < MOST and tally.left > CUT_SHORT:
        tally.step()
    step: int = 10 ** max(floor(log10(max(tally.seen, 1))) - 1, 0)
    return min(MOST, -(-max(tally.seen, 1) // step) * step)


class _Tally:
    """Probability of every state that is still open, after ever more replications.

    ``_open[mode, share, broken]``; modes are both tests listening, the one for the claim mute, the one against it mute.
    """

    def __init__(self, test: Sprt, shares: Sequence[float]) -> None:
        self.walk = Walk(test)
        self.seen = 0
        self._shares = np.array(shares)[None, :, None]
        self._open = np.zeros((3, len(shares), 1))
        self._open[0, :, 0] = 1.0
        self._ends = {end: np.zeros(len(shares)) for end in ("passed", "failed", "too_close", "cut_short")}
        self._replications = np.zeros(len(shares))

    @property
    def left(self) -> float:
        """Chance that the claim is not yet decided, for the share where it is largest."""
        return float(self._open.sum((0, 2)).max())

    def step(self) -> None:
        """One more replication."""
        self.seen += 1
        self._replications += self._open.sum((0, 2))
        moved = np.zeros((*self._open.shape[:2], self._open.shape[2] + 1))
        np.multiply(self._open, self._shares, out=moved[..., :-1])
        moved[..., 1:] += self._open * (1 - self._shares)
        self._open = _trimmed(self._settled(moved, self.walk.bounds(self.seen)))

    def _settled(self, mass: _Mass, bounds: Bounds) -> _Mass:
        """The states that go on; those that end are counted and taken away. In the order of ``Walk.after``."""
        high, low = slice(bounds.gives_up_from, None), slice(0, bounds.gives_up_to + 1)
        self._end("too_close", mass, _FOR, low)
        self._end("too_close", mass, _AGAINST, high)
        if bounds.gives_up_from <= bounds.gives_up_to:
            self._end("too_close", mass, _BOTH, slice(bounds.gives_up_from, bounds.gives_up_to + 1))
        for mode, silent in ((_FOR, high), (_AGAINST, low)):
            mass[mode, :, silent] += mass[_BOTH, :, silent]
            mass[_BOTH, :, silent] = 0.0
        passes, fails = slice(0, bounds.passes_to + 1), slice(bounds.fails_from, None)
        lost, safe = slice(bounds.may_pass_to + 1, None), slice(0, max(bounds.may_fail_from, 0))
        for mode in (_BOTH, _AGAINST):
            self._end("passed", mass, mode, passes)
        for mode in (_BOTH, _FOR):
            self._end("failed", mass, mode, fails)
        self._end("cut_short", mass, _BOTH, slice(lost.start, safe.stop))
        self._end("cut_short", mass, _AGAINST, lost)
        self._end("cut_short", mass, _FOR, safe)
        return mass

    def _end(self, name: str, mass: _Mass, mode: int, where: slice) -> None:
        ended = mass[mode, :, where]
        if ended.shape[1]:
            self._ends[name] += ended.sum(1)
            ended[:] = 0.0

    def result(self, shares: Sequence[float]) -> tuple[Chances, ...]:
        """One for each share."""
        passed, failed, too_close, cut_short = (end.tolist() for end in self._ends.values())
        rows = zip(shares, passed, failed, too_close, cut_short, self._replications.tolist(), strict=True)
        return tuple(Chances(*row) for row in rows)


def _trimmed(mass: _Mass) -> _Mass:
    """Without the numbers of broken ones beyond which nothing is left to speak of."""
    alive = np.flatnonzero(mass.max((0, 1)) > _NOTHING)
    return mass[..., : alive[-1] + 1] if alive.size else mass[..., :0]
