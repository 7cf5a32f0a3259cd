"""Built-ins on text (builtin/builtin.go of expr)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sim.metrics import gotext
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.types import STRINGS
from sim.metrics.conditions.values import Duration, Function, Keyed, Typed, text, to_int, type_name

_MOST_REPEATS: Final = 1_000_000


def _texts(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function all of whose arguments are text."""
    return lambda *args: function(*map(text, args))


def _affix(cut: Callable[[str, str], str]) -> Callable[..., str]:
    def call(value: Any, affix: Any = " ") -> str:
        affix = text(affix)
        return cut(text(value), affix)

    return call


def _split(value: Any, by: Any, count: Any = -1, *, keep: bool = False) -> Typed:
    value, by, most = text(value), text(by), to_int(count)
    if most == 0:
        return Typed([], STRINGS)
    if not by:
        parts = list(value)
        parts = parts if most < 0 or most >= len(parts) else [*parts[: most - 1], "".join(parts[most - 1 :])]
        return Typed(parts, STRINGS)
    parts = value.split(by, most - 1 if most > 0 else -1)
    return Typed([*(part + by * keep for part in parts[:-1]), parts[-1]], STRINGS)


def _replace(value: Any, old: Any, new: Any, count: Any = -1) -> str:
    return text(value).replace(text(old), text(new), max(to_int(count), -1))


def _repeat(value: Any, count: Any) -> str:
    value, times = text(value), to_int(count)
    if times < 0:
        msg = f"invalid argument for repeat (expected positive integer, got {times})"
        raise ExprError(msg)
    return _repeated(value, times)


def _repeat_1_15(value: Any, count: Any) -> str:
    times = to_int(count)
    if times < 0:
        msg = "strings: negative Repeat count"
        raise ExprError(msg)
    return _repeated(text(value), times)


def _repeated(value: str, times: int) -> str:
    if times > _MOST_REPEATS or len(value) * times > _MOST_REPEATS:
        msg = "memory budget exceeded"
        raise ExprError(msg)
    return value * times


def _join(values: Any, by: Any = "") -> str:
    by = text(by)
    if isinstance(values, list) and (not isinstance(values, Typed) or values.go_type is STRINGS):
        return str(by.join(map(text, values)))
    msg = f"invalid argument for join (type {'%!s(<nil>)' if values is None else type_name(values)})"
    raise ExprError(msg)


def _index(value: str, part: str) -> int:
    return value.encode().find(part.encode())


def _last_index(value: str, part: str) -> int:
    return value.encode().rfind(part.encode())


def _from_json(source: str) -> Any:
    try:
        return gotext.from_json(source)
    except ValueError as error:
        raise ExprError(str(error)) from None


def _to_json(value: Any) -> str:
    try:
        return gotext.document(_plain(value), indent="  ")
    except ValueError as error:
        raise ExprError(str(error)) from None


def _plain(value: Any) -> Any:
    """A value in JSON's terms."""
    match value:
        case Keyed() | Function():
            msg = f"json: unsupported type: {value.go_type}"
            raise ExprError(msg)
        case Duration():
            return value.ns
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return [_plain(one) for one in value]
        case dict():
            return {key: _plain(one) for key, one in value.items()}
    return value


def _from_base64(source: str) -> str:
    data = source.replace("\n", "").replace("\r", "")
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        wrong = next((place for place, one in enumerate(data) if one not in alphabet), len(data) - len(data) % 4)
        msg = f"illegal base64 data at input byte {wrong}"
        raise ExprError(msg) from None


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "string": gotext.general,
    "trim": _texts(lambda value, cut=None: value.strip(cut) if cut != "" else value),
    "trimPrefix": _affix(str.removeprefix),
    "trimSuffix": _affix(str.removesuffix),
    "upper": _texts(str.upper),
    "lower": _texts(str.lower),
    "split": _split,
    "splitAfter": lambda value, by, count=-1: _split(value, by, count, keep=True),
    "replace": _replace,
    "repeat": _repeat,
    "join": _join,
    "indexOf": _texts(_index),
    "lastIndexOf": _texts(_last_index),
    "hasPrefix": _texts(str.startswith),
    "hasSuffix": _texts(str.endswith),
    "toJSON": _to_json,
    "fromJSON": _texts(_from_json),
    "toBase64": _texts(lambda value: base64.b64encode(value.encode()).decode()),
    "fromBase64": _texts(_from_base64),
}
FUNCTIONS_1_15: Final[Mapping[str, Callable[..., Any]]] = {**FUNCTIONS, "repeat": _repeat_1_15}
