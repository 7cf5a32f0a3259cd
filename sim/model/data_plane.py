"""How closely requests are simulated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DataPlaneMode(StrEnum):
    """Whether every request is simulated, or only the counts and latencies that they come to."""

    EXACT = "exact"
    """Every request."""
    AUTO = "auto"
    """In aggregate while the error of that is known and bounded, every request otherwise."""
    AGGREGATE = "aggregate"
    """In aggregate wherever that can be meant at all, bounded or not."""


@dataclass(frozen=True, slots=True)
class PlaneUse:
    """For how much of the time a run simulated, warm-up included, every request was simulated, seconds."""

    exact_s: float
    total_s: float

    @property
    def aggregate_share(self) -> float:
        """The share of the time drawn in aggregate; 0 of no time at all."""
        return 1 - self.exact_s / self.total_s if self.total_s > 0 else 0.0

    def __add__(self, other: PlaneUse) -> PlaneUse:
        """Both runs together, as of several regions."""
        return PlaneUse(self.exact_s + other.exact_s, self.total_s + other.total_s)
