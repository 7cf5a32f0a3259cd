"""The part of Kubernetes' JSONPath that web metrics use: fields, indices, slices, wildcards, descent, filters."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterator
from typing import Any


class NoMatch(Exception):  # noqa: N818  # not an error of ours: the document has nothing there
    """Nothing in the document is at the path."""


_STEP = re.compile(
    r"""\.\.(?P<deep>[\w-]+)|\.(?P<field>[\w-]+|\*)|\[(?P<quoted>'[^']*'|"[^"]*")\]
      |\[\?\((?P<filter>[^)]*)\)\]|\[(?P<index>-?\d+|\*)\]|\[(?P<slice>-?\d*:-?\d*)\]""",
    re.VERBOSE,
)
_FILTER = re.compile(r"\s*@\.?(?P<path>[\w.\[\]-]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>.+?))?\s*")
_COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def first_match(document: Any, path: str) -> Any:
    """The first value at the path (``{$.a[0].b}``, braces and ``$`` optional); NoMatch in the library's words."""
    body = path.strip().removeprefix("{").removesuffix("}").strip().removeprefix("$").removeprefix("@")
    if body and body[0] not in ".[":
        body = "." + body
    found = [document]
    position = 0
    while position < len(body) and body != ".":
        step = _STEP.match(body, position)
        if step is None:
            msg = f"unrecognized character in action: {body[position:]!r}"
            raise NoMatch(msg)
        found = [one for value in found for one in _stepped(value, step)]
        position = step.end()
    if not found:
        msg = "results is empty"
        raise NoMatch(msg)
    return found[0]


def _stepped(value: Any, step: re.Match[str]) -> Iterator[Any]:
    kind, text = str(step.lastgroup), step[str(step.lastgroup)]
    match kind:
        case "field" | "quoted":
            yield from _field(value, text.strip("'\"") if kind == "quoted" else text)
        case "deep":
            yield from _deep(value, text)
        case "index":
            yield from _indexed(value, text)
        case "slice":
            low, high = ((int(part) if part else None) for part in text.split(":"))
            yield from value[low:high] if isinstance(value, list) else ()
        case "filter":
            yield from (one for one in (value if isinstance(value, list) else ()) if _passes(one, text))


def _field(value: Any, name: str) -> Iterator[Any]:
    if name == "*":
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif isinstance(value, dict) and name in value:
        yield value[name]
    else:
        msg = f"{name} is not found"
        raise NoMatch(msg)


def _indexed(value: Any, text: str) -> Iterator[Any]:
    if not isinstance(value, list):
        msg = "is not array or slice"
        raise NoMatch(msg)
    if text == "*":
        yield from value
    elif -len(value) <= int(text) < len(value):
        yield value[int(text)]
    else:
        msg = f"array index out of bounds: index {text}, length {len(value)}"
        raise NoMatch(msg)


def _deep(value: Any, name: str) -> Iterator[Any]:
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict) and name in value:
        yield value[name]
    for child in children:
        yield from _deep(child, name)


def _passes(value: Any, text: str) -> bool:
    condition = _FILTER.fullmatch(text)
    if condition is None:
        return False
    try:
        found = first_match(value, condition["path"])
    except NoMatch:
        return False
    if condition["op"] is None:
        return True
    try:
        wanted = json.loads(condition["value"].replace("'", '"'))
        return bool(_COMPARE[condition["op"]](found, wanted))
    except (ValueError, TypeError):
        return False
