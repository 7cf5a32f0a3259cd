"""The one place where ``10m``, ``25%``, ``500m`` and ``2Gi`` become numbers.

Go durations follow ``time.ParseDuration`` (``1h30m``, ``1.5s``, ``300ms``; a bare number other than ``0`` is refused).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import ceil, floor

_GO_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_GO_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_GO_LONGEST_S = 2.0**63 / 1e9
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal("1e3"), "M": Decimal("1e6"), "G": Decimal("1e9"), "T": Decimal("1e12"),
    "P": Decimal("1e15"), "E": Decimal("1e18"),
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]))?", re.ASCII)


@lru_cache(maxsize=1024)
def go_duration_s(text: str) -> float:
    """Seconds in a Go duration string; ValueError if Go's own parser would refuse it."""
    body = text[1:] if text[:1] in {"+", "-"} else text
    if body == "0":
        return 0.0
    parts = _GO_PART.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        msg = f"{text!r} is not a duration such as 90s, 10m or 1h30m"
        raise ValueError(msg)
    # Go counts whole nanoseconds; rounding there keeps 0.1s + 0.2s from drifting.
    total = round(sum(float(number) * _GO_UNIT_S[unit] * 1e9 for number, unit in parts)) / 1e9
    if total >= _GO_LONGEST_S:
        msg = f"{text!r} is longer than a duration can be (292 years)"
        raise ValueError(msg)
    return -total if text[0] == "-" else total


def duration_text(seconds: float) -> str:
    """Seconds as people write them: ``90.0 -> '1m30s'``, ``0.25 -> '250ms'``, ``7200 -> '2h'``."""
    if seconds < 0:
        return "-" + duration_text(-seconds)
    if seconds < 1:
        return f"{round(seconds * 1000)}ms" if seconds else "0s"
    hours, rest = divmod(round(seconds, 3), 3600)
    minutes, secs = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (round(secs, 3), "s"))
    return "".join(f"{value:g}{unit}" for value, unit in parts if value)


def percent_text(share: float) -> str:
    """A share as people write it, to a tenth: ``0.05 -> '5 %'``."""
    return f"{round(100 * share, 1):g} %"


def quantity(text: str | float) -> float:
    """A Kubernetes quantity as a number: ``500m -> 0.5``, ``2Gi -> 2147483648.0``; ValueError if malformed."""
    match = _QUANTITY.fullmatch(str(text))
    if match is None:
        msg = f"{text!r} is not a quantity such as 500m, 2 or 512Mi"
        raise ValueError(msg)
    number, exponent, suffix = match.groups()
    if exponent:
        return float(number + exponent)
    if suffix in _BINARY:
        return float(Decimal(number) * _BINARY[suffix])
    return float(Decimal(number) * _DECIMAL[suffix or ""])


def quantity_text(value: float) -> str:
    """A number as a quantity that people read: whole gibibytes as ``64Gi``, everything else plainly."""
    gibibytes = value / _BINARY["Gi"]
    return f"{gibibytes:g}Gi" if gibibytes and gibibytes.is_integer() else f"{value:g}"


@dataclass(frozen=True, slots=True)
class IntOrPercent:
    """``maxSurge: 3`` or ``maxSurge: "25%"``: a count, or a share (in percent) of the desired pods."""

    value: int
    percent: bool = False
    unreadable: str = ""
    """A text that is neither; the value is then 0."""

    @classmethod
    def parse(cls, raw: int | str) -> IntOrPercent:
        """As Argo reads it: *any* string is a percentage, whatever signs it has (apimachinery ``intstr.go:223-236``)."""
        if isinstance(raw, int):
            return cls(raw)
        digits = raw.replace("%", "")
        if not re.fullmatch(r"[+-]?[0-9]+", digits):
            msg = f"{raw!r} is neither a whole number nor a percentage such as 25%"
            raise ValueError(msg)
        return cls(int(digits), percent=True)

    def of(self, total: int, *, round_up: bool) -> int:
        """The count this means for ``total`` pods: surge rounds up, unavailable rounds down."""
        if not self.percent:
            return self.value
        exact = self.value * total / 100
        return ceil(exact) if round_up else floor(exact)
