"""Tolerant access to JSON-like data: what has the wrong type is read as not written, for it already has a finding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sim.model.pods import Labels, labels_of
from sim.model.units import IntOrPercent, go_duration_s, quantity

T = TypeVar("T")


def mapping(data: Any, *keys: str) -> dict[str, Any]:
    """The mapping below the keys; empty if there is none."""
    found = value(data, *keys)
    return found if isinstance(found, dict) else {}


def value(data: Any, *keys: str) -> Any:
    """Whatever stands below the keys, or None."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def mappings(data: Any, *keys: str) -> Iterator[dict[str, Any]]:
    """The mappings in the list below the keys."""
    yield from (item for item in items(data, *keys) if isinstance(item, dict))


def items(data: Any, *keys: str) -> list[Any]:
    """The list below the keys; empty if there is none."""
    found = value(data, *keys)
    return found if isinstance(found, list) else []


def text(data: Any, *keys: str) -> str:
    """The string below the keys; empty if there is none."""
    found = value(data, *keys)
    return found if isinstance(found, str) else ""


def texts(data: Any, *keys: str) -> tuple[str, ...]:
    """The strings in the list below the keys."""
    return tuple(item for item in items(data, *keys) if isinstance(item, str))


def integer(data: Any, *keys: str) -> int | None:
    """The whole number below the keys, or None."""
    found = value(data, *keys)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def flag(data: Any, *keys: str) -> bool:
    """Whether true stands below the keys."""
    return value(data, *keys) is True


def labels(data: Any, *keys: str) -> Labels:
    """The text values of the mapping below the keys, sorted."""
    return labels_of({key: item for key, item in mapping(data, *keys).items() if isinstance(item, str)})


def int_or_percent(data: Any, *keys: str) -> IntOrPercent | None:
    """The count or percentage below the keys, or None."""
    found = value(data, *keys)
    if isinstance(found, bool) or not isinstance(found, int | str):
        return None
    return attempt(IntOrPercent.parse, found)


def any_int_or_percent(data: Any, *keys: str) -> IntOrPercent | None:
    """The count or percentage below the keys, or the text that is neither, as a Rollout may hold it; or None."""
    found = value(data, *keys)
    unreadable = IntOrPercent(0, unreadable=found) if isinstance(found, str) and found else None
    return int_or_percent(data, *keys) or unreadable


def amount(data: Any, *keys: str) -> float | None:
    """The Kubernetes quantity below the keys, or None."""
    found = value(data, *keys)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    return attempt(quantity, found)


def duration_s(data: Any, *keys: str) -> float | None:
    """Seconds of the Go duration below the keys, or None."""
    return attempt(go_duration_s, text(data, *keys))


def json_text(data: Any) -> str:
    """Canonical JSON of data as written."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def attempt(read: Callable[[Any], T], raw: Any) -> T | None:
    """What ``read`` makes of it, or None where it refuses."""
    try:
        return read(raw)
    except (ValueError, ArithmeticError, IndexError):
        return None
