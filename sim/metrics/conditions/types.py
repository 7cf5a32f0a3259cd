"""Go types as far as conditions meet them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Type:
    """A type: Go's kind and name of it, and what it is made of."""

    kind: str
    """``reflect.Kind``: ``int``, ``slice``, ``interface`` ...; ``invalid`` where nothing is known, ``nil`` for nil."""
    name: str
    """Identity: types of one name are one type."""
    elem: Type | None = None
    """Of slices and maps. The checker may know more of it than the name says."""
    key: Type | None = None
    fields: tuple[tuple[str, Type], ...] = ()
    methods: tuple[tuple[str, Type], ...] = ()
    params: tuple[Type, ...] = ()
    returns: Type | None = None
    variadic: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def is_unknown(self) -> bool:
        """Whether anything may be in it."""
        return self.kind in {"invalid", "interface"}

    @property
    def is_nil(self) -> bool:
        """Whether it is nil's."""
        return self.kind == "nil"

    @property
    def is_integer(self) -> bool:
        """Whether it is one of Go's own integer types; a duration is not."""
        return self.kind in INTEGER_KINDS and self.name == self.kind

    @property
    def is_number(self) -> bool:
        """Whether it is an integer or a float."""
        return self.is_integer or self.kind == "float64"

    @property
    def is_list(self) -> bool:
        """Whether it is a slice or an array."""
        return self.kind in {"slice", "array"}


INTEGER_KINDS: Final = frozenset({"int", "int64", "uint8"})
UNKNOWN: Final = Type("invalid", "unknown")
ANY: Final = Type("interface", "interface {}")
NIL: Final = Type("nil", "unknown")
BOOL: Final = Type("bool", "bool")
INT: Final = Type("int", "int")
INT64: Final = Type("int64", "int64")
BYTE: Final = Type("uint8", "uint8")
FLOAT: Final = Type("float64", "float64")
STRING: Final = Type("string", "string")


def slice_of(elem: Type) -> Type:
    """``[]T``."""
    return Type("slice", f"[]{elem.name}", elem)


def function(params: tuple[Type, ...], *returns: Type) -> Type:
    """``func(A, B) R``; a second result is an error and only shows in the name."""
    inside = ", ".join(one.name for one in params)
    out = returns[0].name if len(returns) == 1 else f"({', '.join(one.name for one in returns)})"
    return Type("func", f"func({inside}) {out}", params=params, returns=returns[0])


ANYS: Final = slice_of(ANY)
FLOATS: Final = slice_of(FLOAT)
INTS: Final = slice_of(INT)
STRINGS: Final = slice_of(STRING)
BYTES: Final = slice_of(BYTE)
MAP: Final = Type("map", "map[string]interface {}", ANY, STRING)
ANY_MAP: Final = Type("map", "map[interface {}]interface {}", ANY, ANY)
PAIR: Final = Type("array", "[2]interface {}", ANY)
PAIRS: Final = slice_of(PAIR)
GROUPS: Final = Type("map", "map[interface {}][]interface {}", ANYS, ANY)
"""What ``groupBy`` returns."""
ERROR: Final = Type("interface", "error")
LOCATION: Final = Type("ptr", "*time.Location")
BUILTIN: Final = Type("func", "func(...interface {}) (interface {}, error)", params=(ANYS,), returns=ANY, variadic=True)
"""How a built-in shows when it is named but not called."""
_DURATION: Final = Type("int64", "time.Duration")
_TIME: Final = Type("struct", "time.Time")
DURATION: Final = replace(
    _DURATION,
    methods=(
        *((name, function((), FLOAT)) for name in ("Hours", "Minutes", "Seconds")),
        *((name, function((), INT64)) for name in ("Microseconds", "Milliseconds", "Nanoseconds")),
        ("String", function((), STRING)),
    ),
)
TIME: Final = replace(
    _TIME,
    methods=(
        *((name, function((), INT)) for name in ("Day", "Hour", "Minute", "Nanosecond", "Second", "Year", "YearDay")),
        *((name, function((), INT64)) for name in ("Unix", "UnixMicro", "UnixMilli", "UnixNano")),
        *((name, function((_TIME,), BOOL)) for name in ("After", "Before", "Equal")),
        ("Add", function((_DURATION,), _TIME)),
        ("IsZero", function((), BOOL)),
        ("Format", function((STRING,), STRING)),
        ("String", function((), STRING)),
        ("Sub", function((_TIME,), _DURATION)),
        ("UTC", function((), _TIME)),
    ),
)
"""Times and durations with those of their methods that are modelled."""
METRIC_DATA: Final = Type(
    "struct",
    "types.MetricDataResult",
    fields=(
        ("Id", STRING), ("Label", STRING), ("Messages", ANYS), ("StatusCode", STRING),
        ("Timestamps", slice_of(TIME)), ("Values", FLOATS),
    ),
)  # fmt: skip
"""A CloudWatch result, with its exported fields."""
MAPS: Final = slice_of(MAP)
METRIC_DATAS: Final = slice_of(METRIC_DATA)

_NAMED: Final = {
    "nil": NIL,
    "map": MAP,
    "map[string]any": MAP,
    "[]any": ANYS,
    "[]map": MAPS,
    "[]map[string]any": MAPS,
    "[]MetricDataResult": METRIC_DATAS,
    "[]interface {}": ANYS,
    **{one.name: one for one in (BOOL, INT, INT64, FLOAT, STRING, FLOATS, STRINGS, INTS, MAP, MAPS, METRIC_DATAS)},
}


def named(go_type: str) -> Type:
    """The type of a Go type name; unknown names, and ``any``, are unknown until there is a value."""
    return _NAMED.get(go_type.removeprefix("*").replace("interface{}", "interface {}"), UNKNOWN)
