"""The kinds of value a scenario file may hold: how each is read, what is expected, how a default is shown."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from scenarios.document.offered import PerPod
from scenarios.document.source import Source
from scenarios.findings import Finding, Path, Severity, path_text
from sim.model.behaviour import Delay, Shape
from sim.model.controller import Controller
from sim.model.units import duration_text, go_duration_s, quantity, quantity_text

SCENARIO_CODE = "RT800"
"""Code of every finding about the shape of a scenario file."""
PLAIN_SOURCES = ("pod-name", "namespace", "container", "version", "pod-template-hash", "status", "status-class")
KEYED_SOURCES = ("pod-label", "pod-annotation", "env", "value")
"""Where a label may come from; see ``sim.model.telemetry.LabelSource``."""


class _Invalid:
    """The value of a field that could not be read; its finding has been recorded."""


INVALID = _Invalid()


@dataclass
class Reader:
    """Reads one source and gathers every finding on the way."""

    source: Source
    findings: list[Finding] = field(default_factory=list)
    lenient: bool = False
    """Leave out what is invalid, as if it had not been written, instead of giving up the whole around it."""

    def fail(self, path: Path, message: str, suggestion: str = "") -> _Invalid:
        """Record an error at this place."""
        place = self.source.position(path)
        text = path_text(path)
        self.findings.append(
            Finding(
                code=SCENARIO_CODE,
                severity=Severity.ERROR,
                message=f"{text}: {message}" if text else message,
                file=place.file,
                line=place.line,
                column=place.column,
                path=path,
                suggestion=suggestion,
            )
        )
        return INVALID


class Kind(Protocol):
    """One kind of value."""

    @property
    def expected(self) -> str:
        """What to write, for messages and for ``rolltwin explain``."""
        ...

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:
        """The value, or ``INVALID`` after recording why not; ``base`` gives the defaults of nested sections."""
        ...

    def show(self, value: Any) -> str:
        """The value as it would be written in a file."""
        ...


@dataclass(frozen=True)
class Scalar:
    """A value read by one function that raises ValueError with what is wrong."""

    expected: str
    parse: Callable[[Any], Any]
    show_value: Callable[[Any], str] = str

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:  # noqa: ARG002 - the Kind protocol
        """See ``Kind.read``."""
        try:
            return self.parse(raw)
        except (ValueError, TypeError, OverflowError):
            return reader.fail(path, f"must be {self.expected} (got {_shown(raw)})")

    def show(self, value: Any) -> str:
        """See ``Kind.show``."""
        return self.show_value(value)


def _shown(raw: Any) -> str:
    text = repr(raw) if isinstance(raw, str) else str(raw)
    if raw is None:
        text = "nothing"
    if isinstance(raw, Mapping):
        text = "a mapping"
    if isinstance(raw, list):
        text = "a list" if raw else "an empty list"
    return text if len(text) <= 60 else text[:57] + "..."


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError
    return raw


def _word(raw: Any) -> str:
    """Text, or a number taken literally (``name: 1.5``)."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float) or not str(raw).strip():
        raise ValueError
    return str(raw)


def _answer(raw: Any) -> str:
    """Text as it is; any other value as JSON."""
    return raw if isinstance(raw, str) else json.dumps(raw)


def _number(raw: Any, low: float = -math.inf, high: float = math.inf) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not low <= raw <= high or math.isinf(raw):
        raise ValueError
    return float(raw)


def _offered(raw: Any) -> float:
    number, slash, unit = raw.partition("/") if isinstance(raw, str) else (raw, "", "")
    if not slash:
        return _rate(raw)
    if unit.strip() != "pod" or not number.strip().isascii():
        raise ValueError
    return PerPod(_rate(float(number)))


def _rate(raw: Any) -> float:
    return _number(raw, 0.0, 1e7)


def _count(raw: Any, low: int = 0, high: int = 2**53) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
        raise ValueError
    return raw


def _flag(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise TypeError
    return raw


def _duration_s(raw: Any) -> float:
    """A Go duration, or days and weeks, which Go lacks and people write: ``3d``, ``1w``."""
    if not isinstance(raw, str):
        return _number(raw, 0.0, 1e10)
    for suffix, seconds in (("d", 86400.0), ("w", 604800.0)):
        if raw.endswith(suffix) and raw[:-1].replace(".", "", 1).isdigit():
            return float(raw[:-1]) * seconds
    return _number(go_duration_s(raw), 0.0, 1e10)


def _share(raw: Any) -> float:
    if isinstance(raw, str) and raw.endswith("%"):
        return _number(float(raw[:-1]) / 100, 0.0, 1.0)
    return _number(raw, 0.0, 1.0)


def _status(raw: Any) -> int:
    code = int(raw) if isinstance(raw, str) and raw.isdigit() else _count(raw)
    if not 100 <= code <= 599:
        raise ValueError
    return code


def _quantity(raw: Any) -> float:
    value = _number(quantity(raw) if not isinstance(raw, bool) else math.nan, 0.0, 1e18)
    if value == 0:
        raise ValueError
    return value


def _label_source(raw: Any) -> str:
    text = _text(raw)
    kind, colon, key = text.partition(":")
    if text not in PLAIN_SOURCES and not (kind in KEYED_SOURCES and colon and key):
        raise ValueError
    return text


def _controller(raw: Any) -> Controller:
    return Controller.parse(_text(raw))


def counts(low: int, high: int) -> Scalar:
    """Whole numbers between two bounds: beyond them memory or time would run out before the run did."""
    return Scalar(f"a whole number from {low} to {high}", lambda raw: _count(raw, low, high))


def _percent_text(value: float) -> str:
    return f"{value * 100:g}%"


TEXT = Scalar("text", _text)
NAME = Scalar("a name", _word)
ANSWER = Scalar("any value, a word, JSON text or 'error: TEXT'", _answer)
"""What a scripted provider answers."""
FLAG = Scalar("true or false", _flag, lambda value: str(value).lower())
NUMBER = Scalar("a number", _number, lambda value: f"{value:g}")
FACTOR = Scalar("a number from 0 to 1e9", lambda raw: _number(raw, 0.0, 1e9), lambda value: f"{value:g}")
SIGMA = Scalar("a number from 0 to 10", lambda raw: _number(raw, 0.0, 10.0), lambda value: f"{value:g}")
RATE = Scalar("requests/s, a number from 0 to 10 million", _rate, lambda v: f"{v:g}")
OFFERED = Scalar(
    "requests/s, a number from 0 to 10 million, or such a number a pod: 20/pod", _offered, lambda v: f"{v:g}"
)
HOUR = Scalar("an hour of the day from 0 to 24", lambda raw: _number(raw, 0.0, 24.0), lambda value: f"{value:g}")
PERCENT = Scalar("a weight from 0 to 100", lambda raw: _number(raw, 0.0, 100.0), lambda value: f"{value:g}")
COUNT = Scalar("a whole number >= 0", _count)
POSITIVE = Scalar("a whole number >= 1", lambda raw: _count(raw, 1))
YEAR = Scalar("a year from 1970 to 9000", lambda raw: _count(raw, 1970, 9000))
DURATION = Scalar("a duration such as 90s, 10m, 1h30m or 2d", _duration_s, duration_text)
SHARE = Scalar("a share such as 0.05 or 5%", _share, _percent_text)
STATUS = Scalar("an HTTP status from 100 to 599", _status)
LABEL_SOURCE = Scalar(
    "one of " + ", ".join((*PLAIN_SOURCES, *(f"{kind}:KEY" for kind in KEYED_SOURCES))), _label_source
)
QUANTITY = Scalar("a Kubernetes quantity above 0 such as 500m, 16 or 64Gi", _quantity, quantity_text)

CONTROLLER = Scalar("one of " + ", ".join(Controller), _controller)


@dataclass(frozen=True)
class Choice:
    """One of a few words, read into an enum or kept as text."""

    words: tuple[str, ...]
    into: Callable[[str], Any] = str

    @property
    def expected(self) -> str:
        """See ``Kind.expected``."""
        return "one of " + ", ".join(self.words)

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:  # noqa: ARG002 - the Kind protocol
        """See ``Kind.read``."""
        if str(raw) in self.words:
            return self.into(str(raw))
        return reader.fail(path, f"must be {self.expected} (got {_shown(raw)})", nearest(str(raw), self.words))

    def show(self, value: Any) -> str:
        """See ``Kind.show``."""
        return str(value)


def enum_choice(enum: type[StrEnum]) -> Choice:
    """A choice of an enum's values."""
    return Choice(tuple(member.value for member in enum), enum)


def nearest(word: str, words: tuple[str, ...]) -> str:
    """A suggestion if one of the words is close, else nothing."""
    close = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


@dataclass(frozen=True)
class Maybe:
    """Another kind, or ``none``."""

    kind: Kind

    @property
    def expected(self) -> str:
        """See ``Kind.expected``."""
        return f"{self.kind.expected}, or none"

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:
        """See ``Kind.read``."""
        return None if raw in (None, "none") else self.kind.read(raw, path, reader, base)

    def show(self, value: Any) -> str:
        """See ``Kind.show``."""
        return "none" if value is None else self.kind.show(value)


@dataclass(frozen=True)
class Short:
    """Another kind, or a text that stands for a value of it; ``expand`` makes that value or raises ValueError."""

    kind: Kind
    expand: Callable[[str], Any]
    text: str

    @property
    def expected(self) -> str:
        """See ``Kind.expected``."""
        return f"{self.text}, or a mapping"

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:
        """See ``Kind.read``."""
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            return self.kind.read(raw, path, reader, base)
        try:
            whole = self.expand(str(raw))
        except ValueError as error:
            return reader.fail(path, f"must be {self.text} (got {_shown(raw)})", str(error))
        return self.kind.read(whole, path, reader, base)

    def show(self, value: Any) -> str:
        """See ``Kind.show``."""
        return self.kind.show(value)


@dataclass(frozen=True)
class ListOf:
    """A list of one kind, read into a tuple."""

    kind: Kind
    non_empty: bool = False

    @property
    def expected(self) -> str:
        """See ``Kind.expected``."""
        return f"a list of: {self.kind.expected}"

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:  # noqa: ARG002 - the Kind protocol
        """See ``Kind.read``."""
        if not isinstance(raw, list) or (self.non_empty and not raw):
            return reader.fail(path, f"must be {'a non-empty' if self.non_empty else 'a'} list (got {_shown(raw)})")
        items = [self.kind.read(item, (*path, index), reader) for index, item in enumerate(raw)]
        valid = tuple(item for item in items if item is not INVALID)
        complete = len(valid) == len(items) or (reader.lenient and (bool(valid) or not self.non_empty))
        return valid if complete else INVALID

    def show(self, value: Any) -> str:
        """See ``Kind.show``."""
        return "[" + ", ".join(self.kind.show(item) for item in value) + "]"


@dataclass(frozen=True)
class PairsOf:
    """A mapping read into a tuple of sorted (key, value) pairs."""

    key: Kind
    value: Kind

    @property
    def expected(self) -> str:
        """See ``Kind.expected``."""
        return f"a mapping from {self.key.expected} to {self.value.expected}"

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:  # noqa: ARG002 - the Kind protocol
        """See ``Kind.read``."""
        if not isinstance(raw, Mapping):
            return reader.fail(path, f"must be {self.expected} (got {_shown(raw)})")
        pairs = [
            (self.key.read(key, (*path, key), reader), self.value.read(value, (*path, key), reader))
            for key, value in raw.items()
        ]
        return INVALID if any(INVALID in pair for pair in pairs) else tuple(sorted(pairs))

    def show(self, value: Any) -> str:
        """See ``Kind.show``."""
        return "{" + ", ".join(f"{self.key.show(key)}: {self.value.show(item)}" for key, item in value) + "}"


@dataclass(frozen=True)
class DelayKind:
    """A random time: a bare duration is its median; a mapping gives median, shape and sigma."""

    expected: str = "a duration (the median), or {median, shape: constant|exponential|lognormal, sigma}"

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:
        """See ``Kind.read``."""
        start = base if isinstance(base, Delay) else Delay(1.0)
        if not isinstance(raw, Mapping):
            median = DURATION.read(raw, path, reader)
            return median if median is INVALID else dataclasses.replace(start, median_s=median)
        return _DELAY.read(raw, path, reader, start)

    def show(self, value: Any) -> str:
        """See ``Kind.show``."""
        tail = f", sigma: {value.sigma:g}" if value.shape is Shape.LOGNORMAL else ""
        return f"{{median: {duration_text(value.median_s)}, shape: {value.shape}{tail}}}"


@dataclass(frozen=True)
class Field:
    """One key of a section: its kind, its meaning, and the attribute it fills where that is named otherwise."""

    name: str
    kind: Kind
    meaning: str
    into: str = ""
    required: bool = False

    @property
    def attribute(self) -> str:
        """Attribute of the value that this key fills."""
        return self.into or self.name


@dataclass(frozen=True)
class Section:
    """A mapping read into a frozen dataclass; defaults are the class's own, or those of a base value."""

    cls: type[Any]
    fields: tuple[Field, ...]

    @property
    def expected(self) -> str:
        """See ``Kind.expected``."""
        return "{" + ", ".join(item.name for item in self.fields) + "}"

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:
        """See ``Kind.read``."""
        values = self.values(raw, path, reader, base)
        if values is INVALID or (not reader.lenient and any(value is INVALID for value in values.values())):
            return INVALID
        valid = {name: value for name, value in values.items() if value is not INVALID}
        if base is not None:
            return dataclasses.replace(base, **valid)
        return self.cls(**valid) if self._needed <= valid.keys() else INVALID

    @property
    def _needed(self) -> frozenset[str]:
        """Attributes without a default."""
        return frozenset(
            item.name
            for item in dataclasses.fields(self.cls)
            if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        )

    def values(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:
        """Attributes that are written, by name; unknown and missing keys are recorded."""
        if not isinstance(raw, Mapping):
            return reader.fail(path, f"must be a mapping with {self.expected} (got {_shown(raw)})")
        known = {item.name: item for item in self.fields}
        unknown = [self._unknown(key, path, reader) for key in raw if key not in known]
        missing = [
            reader.fail(path, f"{item.name} is missing: {item.meaning}")
            for item in self.fields
            if item.required and item.name not in raw and base is None
        ]
        values = {
            known[key].attribute: known[key].kind.read(value, (*path, key), reader, self._base(known[key], base))
            for key, value in raw.items()
            if key in known
        }
        return INVALID if (unknown or missing) and not reader.lenient else values

    def _unknown(self, key: Any, path: Path, reader: Reader) -> _Invalid:
        names = tuple(item.name for item in self.fields)
        hint = nearest(str(key), names) or "known here: " + ", ".join(names)
        return reader.fail((*path, key), "unknown field", hint)

    def _base(self, item: Field, base: Any) -> Any:
        return getattr(base, item.attribute) if base is not None else self.default(item)

    def default(self, item: Field) -> Any:
        """The class's default of this field; None where it has none."""
        own = {entry.name: entry for entry in dataclasses.fields(self.cls)}[item.attribute]
        if own.default is not dataclasses.MISSING:
            return own.default
        return own.default_factory() if own.default_factory is not dataclasses.MISSING else None

    def show(self, value: Any) -> str:
        """See ``Kind.show``."""
        return "{" + ", ".join(self._shown(value)) + "}"

    def _shown(self, value: Any) -> Iterator[str]:
        for item in self.fields:
            yield f"{item.name}: {item.kind.show(getattr(value, item.attribute))}"


@dataclass(frozen=True)
class Union:
    """A mapping whose ``kind`` says which section it is."""

    sections: Mapping[str, Section]
    shared: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """See ``Kind.expected``."""
        return "{kind: " + "|".join(self.sections) + ", ...}"

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:
        """See ``Kind.read``."""
        if not isinstance(raw, Mapping) or "kind" not in raw:
            return reader.fail(path, f"must be {self.expected} (got {_shown(raw)})")
        kind = Choice(tuple(self.sections)).read(raw["kind"], (*path, "kind"), reader)
        if kind is INVALID:
            return INVALID
        section = self.sections[kind]
        rest = {key: value for key, value in raw.items() if key != "kind"}
        return section.read(rest, path, reader, base if type(base) is section.cls else None)

    def show(self, value: Any) -> str:
        """See ``Kind.show``."""
        kind = next(name for name, section in self.sections.items() if type(value) is section.cls)
        return f"{{kind: {kind}, {self.sections[kind].show(value)[1:]}"


_DELAY = Section(
    Delay,
    (
        Field("median", DURATION, "Half of the draws are below this.", "median_s"),
        Field("shape", enum_choice(Shape), "Family of the distribution."),
        Field("sigma", SIGMA, "Log-standard-deviation of the log-normal shape."),
    ),
)
DELAY = DelayKind()
