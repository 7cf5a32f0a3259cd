"""Changes to JSON-like data that leave what was read as it is: every changed part is a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scenarios.findings import Path


def edited(data: Any, path: Sequence[str], change: Callable[[Any, Path], Any], at: Path = ()) -> Any:
    """The data with what stands at the path changed, ``*`` for every item of a list; ``change`` is told the exact place.

    Where the path leads nowhere, the data as it is.
    """
    if not path:
        return change(data, at)
    head, rest = path[0], path[1:]
    if head == "*":
        if not isinstance(data, list):
            return data
        return [edited(item, rest, change, (*at, index)) for index, item in enumerate(data)]
    if not isinstance(data, dict) or head not in data:
        return data
    return data | {head: edited(data[head], rest, change, (*at, head))}


def replaced(data: Any, path: Sequence[str], change: Callable[[Any], Any]) -> Any:
    """The same, where the place does not matter."""
    return edited(data, path, lambda value, _: change(value))
