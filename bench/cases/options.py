"""What a person may vary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Length and load of the scenario, how often each model is measured, and the first seed."""

    minutes: float = 45.0
    rps: float = 1000.0
    repeat: int = 1
    seed: int = 1
