"""JSON put into Go's types, as ``encoding/json`` does: null is a zero, names match in any case, errors in its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_KINDS: Final = {str: "string", dict: "object", list: "array", bool: "bool", int: "number", float: "number"}


@dataclass(frozen=True, slots=True)
class Shape:
    """A Go type: ``object`` with fields, ``array`` of items, ``number``, ``string``, or ``raw`` for anything."""

    kind: str
    type: str = ""
    """As errors print it."""
    name: str = ""
    """Name of a struct, without its package."""
    fields: Mapping[str, Shape] = field(default_factory=dict)
    item: Shape | None = None
    pointer: bool = False
    """Null stays null."""


RAW: Final = Shape("raw")
NUMBER: Final = Shape("number", "float64")
STRING: Final = Shape("string", "string")
ANYTHING: Final = Shape("array", "[]interface {}", item=RAW)


def kind_of(value: Any) -> str:
    """What a value is in JSON's words."""
    return _KINDS[type(value)]


def array(item: Shape, type_name: str = "") -> Shape:
    """``[]T``."""
    return Shape("array", type_name or f"[]{item.type}", item=item)


def decoded(value: Any, shape: Shape, path: tuple[str, ...] = (), owner: str = "") -> Any:
    """The value with every field there; TypeError at the first that does not fit."""
    if value is None:
        return None if shape.pointer else _zero(shape)
    if shape.kind == "raw":
        return value
    kind = kind_of(value)
    if kind != shape.kind:
        place = f"Go struct field {owner}.{'.'.join(path)}" if path else "Go value"
        msg = f"json: cannot unmarshal {kind} into {place} of type {shape.type}"
        raise TypeError(msg)
    if shape.item is not None:
        return [decoded(one, shape.item, path, owner) for one in value]
    if kind == "object":
        return _object(value, shape, path)
    return float(value) if kind == "number" else value


def _object(value: Mapping[str, Any], shape: Shape, path: tuple[str, ...]) -> dict[str, Any]:
    folded = {name.casefold(): name for name in shape.fields}
    found = {name: _zero(inner) for name, inner in shape.fields.items()}
    for key, one in value.items():
        name = key if key in shape.fields else folded.get(key.casefold())
        if name is not None and one is not None:
            found[name] = decoded(one, shape.fields[name], (*path, name), shape.name)
    return found


def _zero(shape: Shape) -> Any:
    match shape.kind:
        case "object":
            return {name: _zero(inner) for name, inner in shape.fields.items()}
        case "number":
            return 0.0
        case "string":
            return ""
    return None
