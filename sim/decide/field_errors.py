"""Errors about one field of an object, in the text form of Kubernetes' ``field.Error``.

The text is ``PATH: KIND: VALUE: DETAIL``; values other than numbers and texts are shown as JSON
(``k8s.io/apimachinery`` 0.34, ``pkg/util/validation/field/errors.go``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sim.decide.arguments import go_quoted

Key = str | int


@dataclass(frozen=True, slots=True)
class SpecError:
    """What the controller refuses, and where: ``path`` inside the object ``kind``/``name``, ``message`` in its words.

    ``rollout`` is the Rollout that is refused for it.
    """

    path: tuple[Key, ...]
    message: str
    kind: str = "Rollout"
    name: str = ""
    rollout: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A field: where it is in the document, and the path the controller prints for it (not always the same)."""

    path: tuple[Key, ...]
    shown: tuple[Key, ...]

    def at(self, *keys: Key) -> Place:
        """The field below this one."""
        return Place(self.path + keys, self.shown + keys)

    def text(self) -> str:
        """The printed path: ``spec.steps[0].pause``."""
        joined = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.shown)
        return joined.removeprefix(".")


def place(*keys: Key) -> Place:
    """A field printed as it is written."""
    return Place(keys, keys)


def invalid(where: Place, value: Any, detail: str) -> SpecError:
    """``Invalid value``; a value of None reads ``null``."""
    return SpecError(where.path, f"{where.text()}: Invalid value: {_shown(value)}: {detail}")


def required(where: Place, detail: str = "") -> SpecError:
    """``Required value``."""
    return SpecError(where.path, f"{where.text()}: Required value{': ' if detail else ''}{detail}")


def duplicate(where: Place, value: Any) -> SpecError:
    """``Duplicate value``."""
    return SpecError(where.path, f"{where.text()}: Duplicate value: {_shown(value)}")


def not_found(where: Place, value: Any) -> SpecError:
    """``Not found``."""
    return SpecError(where.path, f"{where.text()}: Not found: {_shown(value)}")


def forbidden(where: Place, detail: str) -> SpecError:
    """``Forbidden``."""
    return SpecError(where.path, f"{where.text()}: Forbidden: {detail}")


def unsupported(where: Place, value: Any, supported: Iterable[str]) -> SpecError:
    """``Unsupported value``, with the values that are supported."""
    listed = ", ".join(map(go_quoted, supported))
    return SpecError(where.path, f"{where.text()}: Unsupported value: {_shown(value)}: supported values: {listed}")


def internal(where: Place, detail: str) -> SpecError:
    """``Internal error``, which is how the controller reports contradictory fields."""
    return SpecError(where.path, f"{where.text()}: Internal error: {detail}")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return go_quoted(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
