"""``NAME=VALUES``: what a search may try for one value of the user's YAML."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scenarios.compression.pace import prometheus_s, text_of
from scenarios.findings import BadInput, Finding, Severity
from sim.model.units import go_duration_s

CODE: Final = "RT800"
_WHOLE: Final = re.compile(r"[+-]?[0-9]+")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ROUND_S: Final = ((3600.0, 60.0), (600.0, 15.0), (60.0, 5.0), (1.0, 1.0))
"""From so many seconds on durations are tried in steps of so many, as people would write them; below in milliseconds."""
_DIGITS: Final = 4
"""Significant digits of a number between the ends of a range: what people would write, and more than they can tell apart."""


class Unit(StrEnum):
    """How a value is written."""

    WHOLE = "whole number"
    NUMBER = "number"
    DURATION = "duration"
    PERCENT = "percentage"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Range:
    """Everything between two ends, both included; durations in seconds, percentages in percent."""

    unit: Unit
    low: float
    high: float
    log: bool = False
    """Equal factors rather than equal steps are equally likely."""
    step: float = 0.0
    """Only whole steps from the lower end; 0 for any number, durations rounded as people write them."""

    def at(self, share: float) -> str:
        """The value at this share (0 to 1) of the way from the lower to the upper end, as it will be written."""
        if self.log:
            return self.write(self.low * (self.high / self.low) ** share)
        return self.write(self.low + (self.high - self.low) * share)

    def write(self, number: float) -> str:
        """The allowed value next to a number, as it will be written."""
        return _text(self.unit, self._allowed(number))

    def _allowed(self, number: float) -> float:
        within = min(max(number, self.low), self.high)
        if within in {self.low, self.high}:
            return within
        if self.step:
            steps = math.floor((within - self.low) / self.step + 0.5)
            return min(self.low + steps * self.step, self.high)
        step = _round_s(within) if self.unit is Unit.DURATION else 0.0
        near = step * math.floor(within / step + 0.5) if step else float(f"{within:.{_DIGITS}g}")
        return min(max(near, self.low), self.high)

    def read(self, text: str) -> float | None:
        """The number in a text as this range counts it; None if it is none."""
        try:
            return _read(self.unit, text)
        except ValueError:
            return None

    def points(self, most: int) -> tuple[str, ...]:
        """At most so many different values from end to end, evenly spaced (on the scale of the range)."""
        shares = [index / (most - 1) for index in range(most)] if most > 1 else [0.5]
        return tuple(dict.fromkeys(self.at(share) for share in shares))


@dataclass(frozen=True, slots=True)
class Choices:
    """These values and no others, as written."""

    options: tuple[str, ...]

    def at(self, share: float) -> str:
        """The option at this share (0 to 1) of the list."""
        return self.options[min(int(share * len(self.options)), len(self.options) - 1)]

    def points(self, most: int) -> tuple[str, ...]:  # noqa: ARG002 - as Range: whoever lists values wants all of them
        """All of them."""
        return self.options


Values = Range | Choices


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value by name and what may be tried for it."""

    name: str
    values: Values
    text: str
    """As given: ``NAME=VALUES``."""

    @property
    def label(self) -> str:
        """Where messages about it say that it stands."""
        return f"--param {self.text}"


def read_parameters(texts: Iterable[str]) -> tuple[Parameter, ...]:
    """Every parameter; BadInput with all that is wrong with any of them."""
    found: list[Parameter] = []
    findings: list[Finding] = []
    for text in texts:
        try:
            found.append(read_parameter(text))
        except BadInput as error:
            findings.extend(error.findings)
    names = [item.name for item in found]
    findings += [_wrong(item.text, f"{item.name} is given twice") for item in found if names.count(item.name) > 1]
    if findings:
        raise BadInput(findings)
    return tuple(found)


def read_parameter(text: str) -> Parameter:
    """One parameter: ``NAME=LOW..HIGH``, ``NAME=LOW..HIGH:log``, ``NAME=LOW..HIGH:STEP`` or ``NAME=A,B,C``.

    Whether whole numbers, numbers, durations, percentages or words are meant is told from how they are written. BadInput
    if it is no such thing.
    """
    name, equals, written = text.partition("=")
    # A selector may hold the sign too; what follows the last bracket cannot.
    if name.count("[") > name.count("]"):
        head, bracket, rest = text.partition("]")
        more, equals, written = rest.partition("=")
        name = head + bracket + more
    name, written = name.strip(), written.strip()
    if not equals or not name or not written:
        hint = "for example canary.steps[1].pause=1m..10m, canary.steps[0].setWeight=1,5,10 or canary.maxSurge=10%..50%"
        raise BadInput([_wrong(text, "must be NAME=LOW..HIGH or NAME=A,B,C", hint)])
    try:
        return Parameter(name, _values(written), text)
    except ValueError as error:
        raise BadInput([_wrong(text, f"{name}: {error}")]) from error


def _wrong(text: str, message: str, hint: str = "") -> Finding:
    return Finding(CODE, Severity.ERROR, message, f"--param {text}", 1, 1, (), hint)


def _values(written: str) -> Values:
    low, dots, rest = written.partition("..")
    return _range(low.strip(), rest.strip()) if dots else _choices(written)


def _choices(written: str) -> Choices:
    options = tuple(option.strip() for option in written.split(","))
    if "" in options:
        msg = "an option of the list is empty"
        raise ValueError(msg)
    if twice := [option for option in options if options.count(option) > 1]:
        msg = f"{twice[0]} is in the list twice"
        raise ValueError(msg)
    return Choices(options)


def _range(low: str, rest: str) -> Range:
    high, _, how = (part.strip() for part in rest.partition(":"))
    if not low or not high:
        msg = "a range needs two ends, as in 1m..10m"
        raise ValueError(msg)
    unit = _common(_unit(low), _unit(high), low, high)
    begin, end = _read(unit, low), _read(unit, high)
    if begin > end:
        msg = f"the range runs backwards: write {high}..{low}"
        raise ValueError(msg)
    if begin == end:
        msg = f"the range is empty: write ={low} for one value"
        raise ValueError(msg)
    if how == "log":
        return _logarithmic(unit, begin, end)
    return Range(unit, begin, end, step=_step(unit, begin, end, how))


def _logarithmic(unit: Unit, low: float, high: float) -> Range:
    if low <= 0:
        msg = "a logarithmic range must begin above 0"
        raise ValueError(msg)
    return Range(unit, low, high, log=True, step=_default_step(unit, low, high))


def _step(unit: Unit, low: float, high: float, how: str) -> float:
    if not how:
        return _default_step(unit, low, high)
    step = _read(unit, how)
    if not 0 < step <= high - low:
        msg = f"the step {how} does not fit into the range"
        raise ValueError(msg)
    return step


def _default_step(unit: Unit, low: float, high: float) -> float:
    """1 between whole numbers or percentages, else none."""
    return 1.0 if unit in {Unit.WHOLE, Unit.PERCENT} and low.is_integer() and high.is_integer() else 0.0


def _round_s(seconds: float) -> float:
    return next((step for least, step in _ROUND_S if seconds >= least), 0.001)


def _unit(text: str) -> Unit:
    if _WHOLE.fullmatch(text):
        return Unit.WHOLE
    if _NUMBER.fullmatch(text):
        return Unit.NUMBER
    if text.endswith("%") and _NUMBER.fullmatch(text[:-1]):
        return Unit.PERCENT
    if _seconds(text) is not None:
        return Unit.DURATION
    msg = f"{text} is no number, duration or percentage; only lists (a,b,c) may hold words"
    raise ValueError(msg)


def unit_of(options: Iterable[str]) -> Unit:
    """The unit in which all options are written; WORD if they have none in common."""
    units = set()
    for option in options:
        try:
            units.add(_unit(option))
        except ValueError:
            return Unit.WORD
    if units == {Unit.WHOLE, Unit.NUMBER}:
        return Unit.NUMBER
    return units.pop() if len(units) == 1 else Unit.WORD


def _common(low: Unit, high: Unit, *texts: str) -> Unit:
    if low is high:
        return low
    if {low, high} == {Unit.WHOLE, Unit.NUMBER}:
        return Unit.NUMBER
    # 0..2m: Go and Kubernetes read a bare zero as a duration too.
    if Unit.DURATION in {low, high} and "0" in texts:
        return Unit.DURATION
    msg = f"{texts[0]} is a {low} and {texts[1]} a {high}: write both ends alike"
    raise ValueError(msg)


def _read(unit: Unit, text: str) -> float:
    if unit is Unit.DURATION:
        seconds = _seconds(text)
        if seconds is None or seconds < 0:
            msg = f"{text} is no duration such as 90s, 10m or 1h30m"
            raise ValueError(msg)
        return seconds
    number = float(text.removesuffix("%") if unit is Unit.PERCENT else text)
    if not math.isfinite(number):
        msg = f"{text} is no number that can be searched"
        raise ValueError(msg)
    return number


def _seconds(text: str) -> float | None:
    """Seconds of a duration in Go's or Prometheus' notation; None for anything else."""
    try:
        return go_duration_s(text)
    except (ValueError, IndexError):
        return prometheus_s(text)


def _text(unit: Unit, number: float) -> str:
    if unit is Unit.DURATION:
        return text_of(round(number, 3))
    if unit is Unit.WHOLE:
        return str(round(number))
    return f"{_plain(number)}%" if unit is Unit.PERCENT else _plain(number)


def _plain(number: float) -> str:
    """Shortest decimal without an exponent, which expr and YAML 1.1 each read in their own way."""
    text = f"{number:.12f}".rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text
