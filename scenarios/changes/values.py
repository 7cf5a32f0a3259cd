"""When two written values mean the same, and how a value is shown in one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scenarios.findings import Path
from sim.model.units import go_duration_s, quantity

_DURATIONS = frozenset({"duration", "interval", "initialDelay", "timeout", "perTryTimeout", "baseEjectionTime"})
_QUANTITIES = frozenset({"cpu", "memory", "ephemeral-storage"})
_QUERIES = frozenset({"query"})
_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)""")
_PLAIN = re.compile(r"[\w./%{}*:@-]+(?: [\w./%{}*:@-]+)*")


def same(path: Path, old: Any, new: Any) -> bool:
    """Whether the values mean the same at this place: ``10m`` and ``600s``, ``500m`` and ``0.5`` cores, a query re-wrapped."""
    if identical(old, new):
        return True
    key = path[-1] if path else ""
    if key in _DURATIONS:
        return _equal(_seconds, old, new)
    if key in _QUANTITIES:
        return _equal(quantity, old, new)
    if key in _QUERIES and isinstance(old, str) and isinstance(new, str):
        return _unwrapped(old) == _unwrapped(new)
    return False


def identical(old: Any, new: Any) -> bool:
    """Whether the values are written alike; unlike ``==`` it tells ``true`` from 1."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(identical(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(identical, old, new))
    return type(old) is type(new) and bool(old == new)


def shown(value: Any) -> str:
    """A value in one line, whole: ``5m``, ``result[0] < 0.05``, ``{interval: 20s, count: 3}``, ``""``."""
    return (one_line(value) or '""') if isinstance(value, str) else _within(value)


def one_line(text: str) -> str:
    """The text with white space outside of quotes made single blanks."""
    parts = _QUOTED.split(text.strip())
    return "".join(part if index % 2 else re.sub(r"\s+", " ", part) for index, part in enumerate(parts))


def _within(value: Any) -> str:
    """A value as it would stand inside of another."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_within(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_within, value)) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return _quoted(value) if isinstance(value, str) else str(value)


def step_text(step: Any) -> str:
    """A canary step as people say it: ``setWeight 20``, ``pause 10m``, ``pause until approved``, ``analysis {...}``."""
    if not isinstance(step, dict) or len(step) != 1:
        return shown(step)
    ((kind, value),) = step.items()
    if kind == "pause" and isinstance(value, dict) and set(value) <= {"duration"}:
        return f"pause {shown(value['duration'])}" if value else "pause until approved"
    return f"{kind} {shown(value)}"


def _quoted(value: str) -> str:
    line = one_line(value)
    return line if _PLAIN.fullmatch(line) else f'"{line}"'


def _seconds(value: Any) -> float:
    """A duration as manifests write it: Go's, or whole seconds as a number or as text."""
    return float(value) if isinstance(value, int) or str(value).isdecimal() else go_duration_s(value)


def _equal(read: Callable[[Any], float], old: Any, new: Any) -> bool:
    try:
        return read(old) == read(new)
    except (ValueError, TypeError, ArithmeticError, IndexError):
        return False


def _unwrapped(query: str) -> str:
    """The query without the white space that separates no words; one with comments, which end with their line, as it is."""
    if "#" in query:
        return query.strip()
    parts = _QUOTED.split(one_line(query))
    return "".join(part if index % 2 else re.sub(r" ?(\W) ?", r"\1", part) for index, part in enumerate(parts))
