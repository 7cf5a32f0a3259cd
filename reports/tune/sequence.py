"""A share of replications judged as often as one likes: intervals that hold at all looks together (a confidence sequence).

How much likelier what was seen is under shares spread by a beta distribution than under one share ``p`` is a martingale
under ``p``, so that it ever reaches ``1 / (1 - level)`` with at most the probability ``1 - level`` (Ville's inequality).
The shares for which it has not are the interval. Robbins (1970), *Statistical methods related to the law of the iterated
logarithm*.
"""

from __future__ import annotations

from itertools import count
from math import inf, lgamma, log, log1p

_HALVINGS = 60


def evidence(broken: int, of: int, share: float, spread: float) -> float:
    """Logarithm of how much likelier ``broken`` of ``of`` are under shares around ``spread`` than under ``share``.

    The distribution is Beta(1, 1 / spread - 1), whose mean is ``spread``: chosen before anything is seen, it is what may
    be asked about.
    """
    b = max(1 / spread - 1, 1.0)
    mixed = _log_beta(1 + broken, b + of - broken) - _log_beta(1, b)
    if (broken and share <= 0) or (broken < of and share >= 1):
        return inf
    return mixed - (broken * log(share) if broken else 0.0) - (of - broken) * (log1p(-share) if share < 1 else 0.0)


def bounds(broken: int, of: int, spread: float, level: float) -> tuple[float, float]:
    """Least and largest share that what was seen leaves possible."""
    if not of:
        return 0.0, 1.0
    height = -log1p(-level)

    def end(outside: float) -> float:
        inside = broken / of
        for _ in range(_HALVINGS):
            middle = (outside + inside) / 2
            if evidence(broken, of, middle, spread) < height:
                inside = middle
            else:
                outside = middle
        return outside

    return (end(0.0) if broken else 0.0), (end(1.0) if broken < of else 1.0)


def flawless(share: float, level: float) -> int:
    """Replications without a broken one after which the share is known to be less."""
    return next(n for n in count(1) if evidence(0, n, share, share) >= -log1p(-level))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
