"""How much faster time runs, and what rounding that costs: numbers and texts divided, each rounding written down."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from scenarios.findings import Path, path_text
from scenarios.manifests.edit import edited
from sim.model.units import duration_text, go_duration_s

SHORTEST_S: Final = 1.0
"""No duration of a manifest is made shorter than this: the API server keeps times in whole seconds."""
_PROMETHEUS_S: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_PROMETHEUS_PART: Final = re.compile(r"([0-9]+)(ms|[smhdwy])")
_DIGITS: Final = re.compile(r"[0-9]+")

Change = Callable[[Any, "Spot"], Any]


@dataclass
class Pace:
    """The factor, and a note on everything that is not simply divided by it."""

    factor: float
    notes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Objects by (place inside of them, what happened there)."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """One for each note, with all the objects that it holds for."""
        return tuple(f"{', '.join(owners)} {path}: {said}" for (path, said), owners in self.notes.items())

    def divided_s(self, seconds: float) -> float:
        """The duration in whole milliseconds; not below a second unless it was, and then as it is."""
        return max(min(seconds, SHORTEST_S), round(seconds / self.factor, 3))

    def whole_s(self, seconds: float) -> int:
        """The duration in whole seconds, halves up; at least 1 where it was."""
        return max(min(int(seconds), 1), math.floor(seconds / self.factor + 0.5))


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value stands, for notes."""

    pace: Pace
    owner: str
    """``Rollout/name``."""
    path: Path = ()

    def at(self, *more: str | int) -> Spot:
        """A place below."""
        return Spot(self.pace, self.owner, (*self.path, *more))

    def note(self, sentence: str) -> None:
        """Writes down what happened here."""
        owners = self.pace.notes.setdefault((path_text(self.path), sentence), [])
        if self.owner not in owners:
            owners.append(self.owner)

    def rounded(self, written: object, exact_s: float, got_s: float) -> None:
        """Writes a rounding down, if there was any."""
        if not math.isclose(exact_s, got_s, abs_tol=5e-4):
            self.note(f"{written} would be {exact_s:g} s and is {got_s:g} s")


def changed(data: Any, path: Sequence[str], change: Change, spot: Spot) -> Any:
    """The data with what stands at the path changed, ``*`` for every item of a list; nothing is changed in place."""
    return edited(data, path, lambda value, at: change(value, spot.at(*at)))


def seconds(value: Any, spot: Spot) -> Any:
    """A whole number of seconds divided; whatever is none stays."""
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return value
    got = spot.pace.whole_s(value)
    spot.rounded(f"{value} s", value / spot.pace.factor, got)
    return got


def pause(value: Any, spot: Spot) -> Any:
    """A pause (whole seconds, digits or a Go duration of which the controller takes whole seconds) divided."""
    if not isinstance(value, str):
        return seconds(value, spot)
    if _DIGITS.fullmatch(value):
        return str(seconds(int(value), spot))
    written_s = go_s(value)
    if written_s is None or written_s < 1:
        return value
    got = spot.pace.whole_s(written_s)
    spot.rounded(value, written_s / spot.pace.factor, got)
    return duration_text(got)


def go_duration(value: Any, spot: Spot) -> Any:
    """A Go duration divided; whatever is none stays."""
    written_s = go_s(value)
    return value if written_s is None else _text(value, written_s, spot)


def any_duration(value: Any, spot: Spot) -> Any:
    """A duration in the notation of Go or of Prometheus divided, as text that both read; whatever is none stays."""
    written_s = go_s(value)
    if written_s is None and isinstance(value, str):
        written_s = prometheus_s(value)
    return value if written_s is None else _text(value, written_s, spot)


def _text(value: str, written_s: float, spot: Spot) -> str:
    if written_s <= 0:
        return value
    got_s = spot.pace.divided_s(written_s)
    spot.rounded(value, written_s / spot.pace.factor, got_s)
    return text_of(got_s)


def text_of(duration_s: float) -> str:
    """A duration of whole milliseconds as Go and Prometheus both read it."""
    return duration_text(duration_s) if float(duration_s).is_integer() else f"{round(duration_s * 1000)}ms"


def go_s(value: Any) -> float | None:
    """Seconds of a Go duration, None for anything else."""
    try:
        return go_duration_s(value) if isinstance(value, str) else None
    except ValueError:
        return None


def prometheus_s(text: str) -> float | None:
    """Seconds of a PromQL duration, None for anything else."""
    parts = _PROMETHEUS_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return float(sum(int(number) * _PROMETHEUS_S[unit] for number, unit in parts))
