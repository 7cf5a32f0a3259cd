"""Whether an operation's output satisfies an expectation: a subset match with tolerant numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_TOLERANCE = 1e-9
_CONTAINS = "Contains"


def mismatches(expected: Any, got: Any, path: str = "") -> list[str]:
    """Where the output differs from the expectation, as texts; empty if it satisfies it.

    Objects match key by key (keys that are not expected do not matter, one that is missing reads as null or as the
    empty text), lists item by item, numbers within 1e-9, non-finite ones as "NaN", "+Inf", "-Inf". ``errorContains``
    (and any ``xContains``) wants every given text in ``error`` (``x``), an empty one wants any text at all.
    """
    if isinstance(expected, Mapping):
        return _object_mismatches(expected, got, path)
    if isinstance(expected, list):
        return _list_mismatches(expected, got, path)
    return [] if _same(expected, _plain(got)) else [f"{path or 'output'}: expected {expected!r}, got {got!r}"]


def _object_mismatches(expected: Mapping[str, Any], got: Any, path: str) -> list[str]:
    if not isinstance(got, Mapping):
        return [f"{path or 'output'}: expected {dict(expected)!r}, got {got!r}"]
    found: list[str] = []
    for key, value in expected.items():
        here = f"{path}.{key}" if path else key
        if key.endswith(_CONTAINS) and key not in got:
            found += _text_mismatches(value, got.get(key.removesuffix(_CONTAINS)), here)
        elif key not in got:
            found += [] if value in (None, "") else [f"{here}: expected {value!r}, got nothing"]
        else:
            found += mismatches(value, got[key], here)
    return found


def _list_mismatches(expected: list[Any], got: Any, path: str) -> list[str]:
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return [f"{path or 'output'}: expected {expected!r}, got {got!r}"]
    pairs = zip(expected, got, strict=True)
    return [text for i, (want, have) in enumerate(pairs) for text in mismatches(want, have, f"{path}[{i}]")]


def _text_mismatches(wanted: str | list[str], got: Any, path: str) -> list[str]:
    parts = [wanted] if isinstance(wanted, str) else wanted
    holds = isinstance(got, str) and got != "" and all(part in got for part in parts)
    return [] if holds else [f"{path}: expected {wanted!r} in {got!r}"]


def _plain(value: Any) -> Any:
    """A non-finite number as the vectors write it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return value


def _same(expected: Any, got: Any) -> bool:
    # True == 1 in Python, not in JSON.
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, int | float) and isinstance(got, int | float):
        return math.isclose(expected, got, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return bool(expected == got)
