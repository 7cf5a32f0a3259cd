"""Dice that fall the same every time."""

from __future__ import annotations

from random import Random


def dice(seed: int) -> Random:
    """A generator for one test."""
    return Random(seed)  # noqa: S311 - nothing here is a secret
