"""Go types as far as conditions meet them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Type:
    """A type: its kind, Go's name for it, and what its elements are (lists, maps) or it returns (functions)."""

    kind: str
    name: str
    elem: Type | None = None
    params: tuple[Type, ...] = ()
    fields: tuple[tuple[str, Type], ...] = ()

    def __str__(self) -> str:
        return self.name

    @property
    def is_number(self) -> bool:
        """Whether it is an integer or a float."""
        return self.kind in {"int", "float"}


UNKNOWN: Final = Type("unknown", "unknown")
NIL: Final = Type("nil", "unknown")
"""The checker prints nil's type as unknown; at run time it is ``<nil>``."""
BOOL: Final = Type("bool", "bool")
INT: Final = Type("int", "int")
INT64: Final = Type("int", "int64")
FLOAT: Final = Type("float", "float64")
STRING: Final = Type("string", "string")
TIME: Final = Type("time", "time.Time")
DURATION: Final = Type("duration", "time.Duration")
FLOATS: Final = Type("list", "[]float64", FLOAT)
ANYS: Final = Type("list", "[]interface {}", UNKNOWN)
MAP: Final = Type("map", "map[string]interface {}", UNKNOWN)
METRIC_DATA: Final = Type(
    "struct",
    "types.MetricDataResult",
    fields=(
        ("Id", STRING), ("Label", STRING), ("Messages", ANYS), ("StatusCode", STRING),
        ("Timestamps", Type("list", "[]time.Time", TIME)), ("Values", FLOATS),
    ),
)  # fmt: skip
"""A CloudWatch result, with its exported fields."""

_NAMED: Final = {
    "nil": NIL,
    "bool": BOOL,
    "int": INT,
    "int64": INT64,
    "float64": FLOAT,
    "string": STRING,
    "[]float64": FLOATS,
    "[]string": Type("list", "[]string", STRING),
    "[]int": Type("list", "[]int", INT),
    "[]interface{}": ANYS,
    "[]interface {}": ANYS,
    "[]any": ANYS,
    "map": MAP,
    "map[string]interface{}": MAP,
    "map[string]interface {}": MAP,
    "map[string]any": MAP,
    "[]map[string]interface{}": Type("list", "[]map[string]interface {}", MAP),
    "[]map[string]interface {}": Type("list", "[]map[string]interface {}", MAP),
    "[]map": Type("list", "[]map[string]interface {}", MAP),
    "[]MetricDataResult": Type("list", "[]types.MetricDataResult", METRIC_DATA),
    "any": UNKNOWN,
    "interface{}": UNKNOWN,
}


def named(go_type: str) -> Type:
    """The type of a Go type name; unknown names, and ``any``, are unknown until there is a value."""
    return _NAMED.get(go_type.removeprefix("*"), UNKNOWN)


def of_result(go_type: str, value: Any) -> Type:
    """The type a condition is compiled against: a nil pointer is nil, decoded JSON is what it holds."""
    if value is None:
        return NIL
    known = named(go_type)
    return of_value(value) if known.kind in {"unknown", "nil"} else known


def of_value(value: Any) -> Type:  # noqa: PLR0911  # one return per kind
    """The type of a run-time value; lists and maps made by expressions or JSON hold anything."""
    match value:
        case None:
            return NIL
        case bool():
            return BOOL
        case int():
            return INT
        case float():
            return FLOAT
        case str():
            return STRING
        case datetime():
            return TIME
        case timedelta():
            return DURATION
        case list():
            return getattr(value, "go_type", ANYS)
        case dict():
            return METRIC_DATA if isinstance(value, Record) else MAP
    return UNKNOWN


class Typed(list[Any]):
    """A list that knows its Go type, such as ``[]float64``."""

    def __init__(self, items: list[Any], go_type: Type) -> None:
        super().__init__(items)
        self.go_type = go_type


class Record(dict[str, Any]):
    """A Go struct's fields."""


def as_go(go_type: str, value: Any) -> Any:
    """The value as the evaluator holds it: typed lists, records, and JSON's numbers as floats."""
    kind = named(go_type)
    if isinstance(value, list) and kind.kind == "list" and kind.elem is not None and kind.name != "[]interface {}":
        return Typed([as_go(kind.elem.name, item) for item in value], kind)
    if kind is FLOAT and isinstance(value, int | float | str) and not isinstance(value, bool):
        return float(value)
    if kind.kind == "struct" or kind is METRIC_DATA or go_type == METRIC_DATA.name:
        fields = {name: as_go(type_.name, value.get(name)) for name, type_ in METRIC_DATA.fields if value.get(name)}
        return Record(
            {name: Typed([], type_) if type_.kind == "list" else "" for name, type_ in METRIC_DATA.fields} | fields
        )
    return _json(value) if kind.kind in {"unknown", "list", "map"} else value


def _json(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case list():
            return [_json(one) for one in value]
        case dict():
            return {key: _json(one) for key, one in value.items()}
    return value
