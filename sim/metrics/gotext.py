"""Numbers and documents as Go prints them, for the values the controller records."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from sim.metrics import jsonsyntax


def floats(value: Any) -> Any:
    """Decoded JSON as Go has it: every number is a float."""
    match value:
        case dict():
            return {key: floats(one) for key, one in value.items()}
        case list():
            return [floats(one) for one in value]
        case bool():
            return value
        case int():
            return float(value)
    return value


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


def fixed(value: float, digits: int) -> str:
    """Verb ``%.Nf``."""
    return f"{value:.{digits}f}" if math.isfinite(value) else number(value)


def general(value: Any) -> str:  # noqa: PLR0911  # one return per kind
    """``fmt.Sprintf("%v", x)`` of numbers, strings, booleans, nil and lists of them."""
    match value:
        case None:
            return "<nil>"
        case bytes():
            return general(list(value))
        case datetime():
            return _instant(value)
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


def _instant(time: datetime) -> str:
    """``time.Time.String``."""
    fraction = f".{time.microsecond:06d}".rstrip("0") if time.microsecond else ""
    return f"{time:%Y-%m-%d %H:%M:%S}{fraction} {time:%z} {time.tzname()}"


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


def document(value: Any, indent: str = "", depth: int = 0) -> str:
    """``json.Marshal``: keys in order, no spaces, whole floats without a point, ``< > &`` escaped.

    With an indent ``json.MarshalIndent``. ValueError, in its words, for a number that JSON has not.
    """
    match value:
        case dict():
            colon = ": " if indent else ":"
            pairs = [f"{_string(str(key))}{colon}{document(value[key], indent, depth + 1)}" for key in sorted(value)]
            return _block("{", pairs, "}", indent, depth)
        case list() | tuple():
            return _block("[", [document(one, indent, depth + 1) for one in value], "]", indent, depth)
        case bool() | None:
            return json.dumps(value)
        case int():
            return str(value)
        case float():
            return _json_number(value)
    return _string(str(value))


def _block(opening: str, parts: list[str], closing: str, indent: str, depth: int) -> str:
    if not indent or not parts:
        return opening + ",".join(parts) + closing
    inner = f"\n{indent * (depth + 1)}"
    return f"{opening}{inner}{f',{inner}'.join(parts)}\n{indent * depth}{closing}"


def from_json(source: str) -> Any:
    """``json.Unmarshal`` into anything: every number is a float. ValueError in its words."""
    try:
        return json.loads(source, parse_int=_json_float, parse_float=_json_float, parse_constant=_no_constant)
    except json.JSONDecodeError:
        raise ValueError(jsonsyntax.problem(source, quoted_character)) from None
    except RecursionError:
        msg = "exceeded max depth"
        raise ValueError(msg) from None


def _json_float(source: str) -> float:
    value = float(source)
    if math.isinf(value):
        msg = f"json: cannot unmarshal number {source} into Go value of type float64"
        raise ValueError(msg)
    return value


def _no_constant(name: str) -> Any:
    msg = "Expecting value"
    raise json.JSONDecodeError(msg, name, 0)


def quoted_character(character: str) -> str:
    """A character as Go's JSON names it."""
    return {"'": r"'\''", '"': "'\"'"}.get(character) or f"'{quoted(character)[1:-1]}'"


def duration(nanoseconds: int) -> str:
    """``time.Duration.String``: ``1h0m0s``, ``1.5s``, ``250ms``."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = "-" if nanoseconds < 0 else "", abs(nanoseconds)
    if rest < 1_000_000_000:
        unit, size = next((unit, size) for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)) if rest >= size)
        return f"{sign}{number(rest / size)}{unit}"
    minutes, seconds = divmod(rest, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    shown = f"{number(seconds / 1e9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{shown}"
    return f"{sign}{minutes}m{shown}" if minutes else sign + shown


def _json_number(value: float) -> str:
    if not math.isfinite(value):
        msg = f"json: unsupported value: {number(value)}"
        raise ValueError(msg)
    if value and (abs(value) < 1e-6 or abs(value) >= 1e21) and math.isfinite(value):
        return re.sub(r"e([+-])0", r"e\1", _scientific(value))
    return number(value)


def _string(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted.translate(_HIDDEN)


_HIDDEN = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What Go never writes as it is, because JavaScript and HTML read it."""


_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}


def quoted(text: str) -> str:
    """``strconv.Quote``, verb ``%q``: a Go string literal."""
    return '"' + "".join(_ESCAPES.get(one) or _escaped(one) for one in text) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if character == " " or (character.isprintable() and code != _DELETE):
        return character
    if code < _DELETE + 1:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_DELETE = 0x7F
_HEX_FLOAT = re.compile(
    r"[+-]?0x(?:_?H\.?(?:H)?|\.H)p[+-]?D".replace("H", "[0-9a-f]+(?:_[0-9a-f]+)*").replace("D", "[0-9]+(?:_[0-9]+)*"),
    re.IGNORECASE | re.ASCII,
)
_FLOAT = re.compile(
    r"[+-]?(?:(?:D\.?(?:D)?|\.D)(?:[eE][+-]?D)?|inf(?:inity)?|nan)\Z".replace("D", "[0-9]+(?:_[0-9]+)*"),
    re.IGNORECASE | re.ASCII,
)
_INT = re.compile(r"[+-]?[0-9]+\Z", re.ASCII)


def parsed_float(text: str) -> float:
    """``strconv.ParseFloat(s, 64)``; ValueError in its words."""
    if _HEX_FLOAT.fullmatch(text):
        value = _hex_float(text.replace("_", ""))
    elif _FLOAT.match(text):
        value = float(text.replace("_", ""))
    else:
        msg = f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax"
        raise ValueError(msg)
    if math.isinf(value) and "n" not in text.lower():
        msg = f"strconv.ParseFloat: parsing {quoted(text)}: value out of range"
        raise ValueError(msg)
    return value


def _hex_float(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return math.inf


def parsed_int(text: str, base: int = 10) -> int:
    """``strconv.ParseInt(s, base, 64)``, base 0 with a prefix; ValueError in its words."""
    try:
        value = int(text, base) if base != 10 or _INT.match(text) else None
    except ValueError:
        value = None
    if value is None or (value and not -(2**63) <= value < 2**63):
        reason = "invalid syntax" if value is None else "value out of range"
        msg = f"strconv.ParseInt: parsing {quoted(text)}: {reason}"
        raise ValueError(msg)
    return value
