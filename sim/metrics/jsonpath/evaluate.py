"""What a template finds in a document (client-go util/jsonpath/jsonpath.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sim.metrics import gotext
from sim.metrics.jsonpath.parse import (
    Array,
    Field,
    Filter,
    Identifier,
    PathError,
    Recursive,
    Step,
    Steps,
    Text,
    Union,
    Wildcard,
    parse,
)

_NAMES: Final[Mapping[type, str]] = {
    dict: "map[string]interface {}",
    list: "[]interface {}",
    str: "string",
    bool: "bool",
    float: "float64",
    int: "int",
}


def first_match(document: Any, template: str) -> Any:
    """The first value the template finds; PathError in the library's words where it finds none.

    The document is decoded JSON: its numbers must be floats, as Go decodes them.
    """
    for results in _Finder(parse(template)).found(document):
        for value in results:
            return value
    msg = "result of web metric produced no value"
    raise PathError(msg)


class _Finder:
    """One evaluation; ``range`` and ``end`` steer which pieces come next."""

    def __init__(self, pieces: tuple[Steps, ...]) -> None:
        self._pieces = pieces
        self._begin = 0
        self._inside = 0
        self._ending = 0
        self._last_end = -1

    def found(self, document: Any, start: int = 0) -> list[list[Any]]:
        full: list[list[Any]] = []
        position = start
        while position < len(self._pieces):
            results = self._walked([document], self._pieces[position])
            if 0 < self._ending <= self._inside:
                self._ending -= 1
                self._last_end = position
                break
            if self._begin > 0:
                position = self._ranged(full, results, position)
            else:
                full.append(results)
            position += 1
        return full

    def _ranged(self, full: list[list[Any]], results: list[Any], position: int) -> int:
        """Evaluate the pieces of a range for each result; the position of its end."""
        self._begin -= 1
        self._inside += 1
        for value in results:
            full += self.found(value, position + 1)
        if not results:
            self.found(None, position + 1)
        self._inside -= 1
        return max(position, self._last_end)

    def _walked(self, values: list[Any], steps: Steps) -> list[Any]:
        for step in steps:
            values = self._stepped(values, step)
        return values

    def _stepped(self, values: list[Any], step: Step) -> list[Any]:  # noqa: PLR0911  # one return per kind
        match step:
            case Text(value, per_input):
                return [value] * len(values) if per_input else [value]
            case Field(name):
                return _fields(values, name)
            case Wildcard():
                return [child for value in values for child in _children(value)]
            case Recursive():
                return _descended(values)
            case Array():
                return _arrays(values, step)
            case Union(parts):
                return [one for part in parts for one in self._walked(values, part)]
            case Filter():
                return [one for value in values for one in self._filtered(value, step)]
            case Identifier(name):
                return self._steered(values, name)

    def _steered(self, values: list[Any], name: str) -> list[Any]:
        if name == "range":
            self._begin += 1
            return values
        if name != "end":
            msg = f"unrecognized identifier {name}"
            raise PathError(msg)
        if self._inside <= 0:
            msg = "not in range, nothing to end"
            raise PathError(msg)
        self._ending += 1
        return []

    def _filtered(self, value: Any, step: Filter) -> list[Any]:
        if not isinstance(value, list):
            msg = f"{gotext.general(value)} is not array or slice and cannot be filtered"
            raise PathError(msg)
        return [one for one in value if self._passes(one, step)]

    def _passes(self, element: Any, step: Filter) -> bool:
        try:
            lefts = self._walked([element], step.left)
        except PathError:
            if step.op == "exists":
                return False
            raise
        if step.op == "exists" or not lefts:
            return bool(lefts)
        rights = self._walked([element], step.right) if len(lefts) == 1 else lefts
        if max(len(lefts), len(rights)) > 1:
            msg = "can only compare one element at a time"
            raise PathError(msg)
        return bool(rights) and _compared(step.op, lefts[0], rights[0])


def _fields(values: list[Any], name: str) -> list[Any]:
    found = [value[name] for value in values if isinstance(value, dict) and name in value]
    if values and not found:
        msg = f"{name} is not found"
        raise PathError(msg)
    return found


def _children(value: Any) -> list[Any]:
    """What is right below a value; text has its bytes below it."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    return list(value.encode()) if isinstance(value, str) else []


def _descended(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        children = _children(value)
        if children:
            found += [value, *_descended(children)]
    return found


def _arrays(values: list[Any], step: Array) -> list[Any]:
    """The slices of several arrays; the first one that is empty ends the search."""
    found: list[Any] = []
    for value in values:
        if value is None:
            continue
        part = _sliced(value, step)
        if not part:
            break
        found += part
    return found


def _sliced(value: Any, step: Array) -> list[Any]:
    if not isinstance(value, list):
        msg = f"{_NAMES.get(type(value), 'interface {}')} is not array or slice"
        raise PathError(msg)
    length = len(value)
    start = step.start or 0
    start += length if start < 0 else 0
    end = length if step.end is None else step.end
    end += length if end < 0 or (end == 0 and step.derived) else 0
    if start == end:
        return []
    _check_bounds(start, end, length)
    if step.step is not None and step.step <= 0:
        msg = "step must be > 0"
        raise PathError(msg)
    return value[start : end : step.step or 1]


def _check_bounds(start: int, end: int, length: int) -> None:
    for place, bad in ((start, not 0 <= start < length), (end - 1, not 0 <= end <= length)):
        if bad:
            msg = f"array index out of bounds: index {place}, length {length}"
            raise PathError(msg)
    if start > end:
        msg = f"starting index {start} is greater than ending index {end}"
        raise PathError(msg)


def _kind(value: Any) -> str:
    kind = {bool: "bool", int: "int", float: "float", str: "string"}.get(type(value))
    if kind is None:
        msg = "invalid type for comparison"
        raise PathError(msg)
    return kind


def _compared(op: str, left: Any, right: Any) -> bool:
    """The template package's comparison: a whole number is no float, so ``@.n == 1`` fits no number of a document."""
    test = _COMPARISONS.get(op)
    if test is None:
        msg = f"unrecognized filter operator {op}"
        raise PathError(msg)
    kind = _kind(left)
    if kind != _kind(right):
        msg = "incompatible types for comparison"
        raise PathError(msg)
    if kind == "bool" and op not in {"==", "!="}:
        msg = "invalid type for comparison"
        raise PathError(msg)
    return test(left, right)


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}
