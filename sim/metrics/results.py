"""Typed results of providers, with the text that is recorded of them.

Results keep the name of their Go type, because the controller compiles conditions against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sim.metrics import gotext
from sim.model.analysis import ProviderResult

FLOAT: Final = "float64"
FLOATS: Final = "[]float64"
NO_FLOAT: Final = "*float64"
"""A nil pointer: Datadog found no data."""
JSON: Final = "any"
"""Decoded JSON; its concrete type is the value's own."""


def error(message: str) -> ProviderResult:
    """A measurement that could not be taken."""
    return ProviderResult(error=message)


def scalar(value: float) -> ProviderResult:
    """One number."""
    return ProviderResult(value, FLOAT, gotext.number(value))


def vector(values: Sequence[float]) -> ProviderResult:
    """A slice of numbers in arrival order, possibly empty."""
    return ProviderResult(list(values), FLOATS, "[" + ",".join(map(gotext.number, values)) + "]")


def no_data() -> ProviderResult:
    """Datadog's answer without a point: nil, recorded as ``[]`` where a condition can still judge it."""
    return ProviderResult(None, NO_FLOAT, "[]")


def number(raw: Any) -> float:
    """A JSON number, or one of the texts JSON has no number for (``NaN``, ``+Inf``, ``-Inf``)."""
    return float(raw)
