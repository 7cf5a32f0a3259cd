"""How closely requests are simulated."""

from __future__ import annotations

from enum import StrEnum


class DataPlaneMode(StrEnum):
    """Whether every request is simulated, or only the counts and latencies that they come to."""

    EXACT = "exact"
    """Every request."""
    AUTO = "auto"
    """In aggregate while the error of that is known and bounded, every request otherwise."""
    AGGREGATE = "aggregate"
    """In aggregate wherever that can be meant at all, bounded or not."""
