"""How well two raters of the same things agree, with intervals that stay honest for few of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from reports.statistics import Bounds, wilson

LEVEL = 0.95
"""Of every interval of a proportion."""
ONE_CLASS = "kappa is undefined when only one class occurs"


@dataclass(frozen=True, slots=True)
class Agreement:
    """In how many of ``of`` runs both worlds said the same."""

    same: int
    of: int
    bounds: Bounds | None
    """Share and Wilson's interval; None for no runs."""
    kappa: float | None
    """Cohen's: agreement beyond what the shares of the classes alone would give; None where that is undefined."""

    @property
    def why_no_kappa(self) -> str:
        """Why there is no kappa; '' if there is one."""
        if self.kappa is not None:
            return ""
        return ONE_CLASS if self.of else "no runs"


def agreement(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Agreement of (twin, cluster) labels."""
    same = sum(ours == theirs for ours, theirs in pairs)
    return Agreement(same, len(pairs), wilson(same, len(pairs), LEVEL) if pairs else None, kappa(pairs))


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Cohen's kappa, ``(observed - expected) / (1 - expected)``: ``aa ab ba bb -> 0.0``.

    None where chance alone would always agree: both raters know one class only, and it is the same.
    """
    if not pairs:
        return None
    n = len(pairs)
    ours, theirs = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    # Whole numbers, so that certain agreement by chance is exactly that.
    by_chance = sum(count * theirs[label] for label, count in ours.items())
    if by_chance == n * n:
        return None
    observed = sum(a == b for a, b in pairs)
    return (observed * n - by_chance) / (n * n - by_chance)
