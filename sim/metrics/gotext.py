"""Numbers and documents as Go prints them, for the values the controller records."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any


def number(value: float) -> str:
    """``strconv.FormatFloat(v, 'f', -1, 64)``: the shortest digits that read back equal, never an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{Decimal(repr(float(value))):f}".removesuffix(".0")


def open_metrics(value: float) -> str:
    """A float as OpenMetrics has it: ``%g``, and never without a point or an exponent."""
    if not math.isfinite(value):
        return number(value)
    text = _shortest(value)
    return text if "." in text or "e" in text else f"{text}.0"


def general(value: Any) -> str:  # noqa: PLR0911  # one return per kind
    """``fmt.Sprintf("%v", x)`` of numbers, strings, booleans, nil and lists of them."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case int() | str():
            return str(value)
        case float():
            return _shortest(value)
        case list():
            return "[" + " ".join(general(one) for one in value) + "]"
        case dict():
            return "map[" + " ".join(f"{key}:{general(value[key])}" for key in sorted(value)) + "]"
    return str(value)


def _shortest(value: float) -> str:
    """Verb ``%v`` of a float64: an exponent below 1e-4 and from 1e6 on."""
    if not math.isfinite(value) or value == 0:
        return number(value)
    exponent = Decimal(repr(value)).adjusted()
    return number(value) if -4 <= exponent < 6 else _scientific(value)


def _scientific(value: float) -> str:
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = int(exponent) + len(text) - 1
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{'-' * sign}{text[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"


def document(value: Any) -> str:
    """``json.Marshal``: keys in order, no spaces, whole floats without a point, ``< > &`` escaped."""
    match value:
        case dict():
            return "{" + ",".join(f"{_string(str(key))}:{document(value[key])}" for key in sorted(value)) + "}"
        case list() | tuple():
            return "[" + ",".join(document(one) for one in value) + "]"
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return _json_number(float(value))
    return _string(str(value))


def _json_number(value: float) -> str:
    if value and (abs(value) < 1e-6 or abs(value) >= 1e21) and math.isfinite(value):
        return re.sub(r"e([+-])0", r"e\1", _scientific(value))
    return number(value)


def _string(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
