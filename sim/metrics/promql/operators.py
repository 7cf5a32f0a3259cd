"""Arithmetic and comparison of numbers, one at a time or whole arrays, as IEEE has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from sim.metrics.columns import Booleans, Floats

ARITHMETIC: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISON: Final[dict[str, Callable[[Floats, Floats], Booleans]]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
SETS: Final = frozenset({"and", "or", "unless"})


def scalar(op: str, left: float, right: float) -> float:
    """The operation on two scalars; a comparison gives 1 or 0."""
    operation = ARITHMETIC.get(op) or COMPARISON[op]
    return float(operation(np.float64(left), np.float64(right)))  # type: ignore[arg-type]  # numpy's scalars behave as arrays
