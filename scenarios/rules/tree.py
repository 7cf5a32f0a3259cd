"""Reading JSON-like data that may have any shape: nothing here raises on what a user wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.findings import Path
from sim.model.units import go_duration_s

_PLACEHOLDER = re.compile(r"\{\{")


def dig(data: Any, *keys: str | int) -> Any:
    """The node at this path, or None where any part of it is missing or of another shape."""
    for key in keys:
        if isinstance(key, int):
            if not isinstance(data, list) or not -len(data) <= key < len(data):
                return None
            data = data[key]
        elif isinstance(data, Mapping):
            data = data.get(key)
        else:
            return None
    return data


def mapping(data: Any, *keys: str | int) -> Mapping[str, Any]:
    """The mapping at this path; empty if there is none."""
    node = dig(data, *keys)
    return node if isinstance(node, Mapping) else {}


def sequence(data: Any, *keys: str | int) -> list[Any]:
    """The list at this path; empty if there is none."""
    node = dig(data, *keys)
    return node if isinstance(node, list) else []


def text(data: Any, *keys: str | int) -> str:
    """The scalar at this path as text; empty if there is none."""
    node = dig(data, *keys)
    if isinstance(node, bool):
        return str(node).lower()
    return str(node) if isinstance(node, str | int | float) else ""


def texts(data: Any, *keys: str | int) -> tuple[str, ...]:
    """The scalars of the list at this path, as text."""
    return tuple(text(item) for item in sequence(data, *keys) if isinstance(item, str | int | float))


def labels(data: Any, *keys: str | int) -> dict[str, str]:
    """The mapping at this path with its values as text."""
    return {key: text(value) for key, value in mapping(data, *keys).items()}


def entries(data: Any, *keys: str | int) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """(path, item) of every mapping in the list at this path."""
    for index, item in enumerate(sequence(data, *keys)):
        if isinstance(item, Mapping):
            yield (*keys, index), item


def leaves(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """(path, value) of every scalar below, in document order."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from leaves(value, (*path, index))
    else:
        yield path, data


def whole(value: Any) -> int | None:
    """An integer written as a number or as digits; None for anything else (also for a ``{{...}}`` placeholder)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value.strip()):
        return int(value)
    return None


def seconds(value: Any) -> float | None:
    """A Go duration, or a bare number of seconds as ``pause.duration`` allows; None if it is neither."""
    number = whole(value)
    if number is not None:
        return float(number)
    try:
        return go_duration_s(value) if isinstance(value, str) and value else None
    except ValueError:
        return None


def templated(value: Any) -> bool:
    """Whether a value still holds a ``{{...}}`` placeholder."""
    return isinstance(value, str) and _PLACEHOLDER.search(value) is not None
