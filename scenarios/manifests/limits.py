"""What a schema says about values beyond their type: ranges, lengths, patterns, formats, lists without repeats.

The words are the API server's (``k8s.io/kube-openapi`` ``pkg/validation/errors``, ``k8s.io/apiextensions-apiserver`` 0.34).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from scenarios.findings import Path, path_text
from scenarios.manifests.tables import Node
from sim.patterns import compiled

LIMIT, REPEATED = "RT019", "RT020"

Broken = tuple[str, Path, str]
"""Code, path and message."""

_WHOLE = {"int32": 2**31, "int64": 2**63}
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": lambda text: _DATE_TIME.fullmatch(text) is not None and _is_date(text[:19].upper()),
    "date": lambda text: re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and _is_date(text),
    "byte": lambda text: (
        re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text) is not None
    ),
    "duration": lambda text: re.fullmatch(r"([0-9.]+\s*(ns|us|µs|ms|s|m|h|d|w)\s*)+", text) is not None,
}
"""The formats the API server knows that are met in manifests; it lets every other one pass."""


def broken_limits(data: Any, node: Node, path: Path) -> Iterator[Broken]:
    """The limits of a node that a value of the right type breaks."""
    if node.limits:
        if isinstance(data, str):
            yield from _text(data, node, path)
        elif isinstance(data, int | float) and not isinstance(data, bool):
            yield from _number(data, node, path)
        elif isinstance(data, list | dict):
            yield from _size(data, node, path)
    if isinstance(data, list) and (node.keys is not None or node.limits.get("uniqueItems")):
        yield from _repeated(data, node, path)


def _number(data: float, node: Node, path: Path) -> Iterator[Broken]:
    limits, where = node.limits, path_text(path)
    low, high = limits.get("minimum"), limits.get("maximum")
    if high is not None and (data >= high if limits.get("exclusiveMaximum") else data > high):
        words = "less than" if limits.get("exclusiveMaximum") else "less than or equal to"
        yield LIMIT, path, f"{where}: Invalid value: {data:g}: {where} in body should be {words} {high}"
    if low is not None and (data <= low if limits.get("exclusiveMinimum") else data < low):
        words = "greater than" if limits.get("exclusiveMinimum") else "greater than or equal to"
        yield LIMIT, path, f"{where}: Invalid value: {data:g}: {where} in body should be {words} {low}"
    multiple = limits.get("multipleOf")
    if multiple and data % multiple:
        yield LIMIT, path, f"{where}: Invalid value: {data:g}: {where} in body should be a multiple of {multiple}"
    bound = _WHOLE.get(limits.get("format", ""))
    if bound and not -bound <= data < bound:
        # The API server takes it; whoever decodes the object into Go's types cannot.
        name = limits["format"]
        yield LIMIT, path, f"json: cannot unmarshal number {data} into Go struct field {where} of type {name}"


def _text(data: str, node: Node, path: Path) -> Iterator[Broken]:
    limits, where = node.limits, path_text(path)
    length = len(data)
    if length > limits.get("maxLength", length):
        yield LIMIT, path, f"{where}: Too long: may not be more than {limits['maxLength']} bytes"
    if length < limits.get("minLength", 0):
        least = limits["minLength"]
        yield LIMIT, path, f'{where}: Invalid value: "{data}": {where} in body should be at least {least} chars long'
    if "pattern" in limits and not _matches(limits["pattern"], data):
        pattern = limits["pattern"]
        yield LIMIT, path, f"{where}: Invalid value: \"{data}\": {where} in body should match '{pattern}'"
    known = _FORMATS.get(limits.get("format", ""))
    if known is not None and not known(data):
        kind = limits["format"]
        yield LIMIT, path, f'{where}: Invalid value: "{data}": {where} in body must be of type {kind}: "{data}"'


def _size(data: list[Any] | dict[str, Any], node: Node, path: Path) -> Iterator[Broken]:
    limits, where, size = node.limits, path_text(path), len(data)
    most, least, noun = (
        ("maxItems", "minItems", "items")
        if isinstance(data, list)
        else ("maxProperties", "minProperties", "properties")
    )
    if size > limits.get(most, size):
        yield LIMIT, path, f"{where}: Too many: {size}: must have at most {limits[most]} items"
    if size < limits.get(least, 0):
        yield (
            LIMIT,
            path,
            f"{where}: Invalid value: {size}: {where} in body should have at least {limits[least]} {noun}",
        )


def _repeated(data: list[Any], node: Node, path: Path) -> Iterator[Broken]:
    """Items that are the same in the fields that identify them, defaults included."""
    seen: set[str] = set()
    for index, item in enumerate(data):
        identity = _identity(item, node) if node.keys else item
        if identity is None:
            continue
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        if text in seen:
            where = (*path, index)
            yield REPEATED, where, f"{path_text(where)}: Duplicate value: {text}"
        seen.add(text)


def _identity(item: Any, node: Node) -> dict[str, Any] | None:
    if not isinstance(item, dict) or node.items is None or node.keys is None:
        return None
    fields = node.items.fields
    found = {key: item.get(key, fields[key].default if key in fields else None) for key in node.keys}
    return {key: value for key, value in found.items() if value is not None} or None


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text; one that Go cannot compile is not looked at."""
    try:
        return compiled(pattern).search(text) is not None
    except (ValueError, UnicodeEncodeError):
        return True


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
