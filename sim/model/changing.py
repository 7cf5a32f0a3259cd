"""Copies of frozen values with some fields changed, for the decisions' hot paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

T = TypeVar("T")


@cache
def _layout(cls: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, int]]:
    names = [field.name for field in fields(cls)]
    return attrgetter(*names), {name: place for place, name in enumerate(names)}


def replace(value: T, /, **changes: Any) -> T:
    """As ``dataclasses.replace`` of a class with two or more fields, all of them in ``__init__``; three times as fast.

    KeyError for a field that does not exist.
    """
    if hasattr(value, "__dict__"):
        return _copied(value, changes)
    values_of, places = _layout(cast("Any", type(value)))
    values = [*values_of(value)]
    for name, changed in changes.items():
        values[places[name]] = changed
    return type(value)(*values)


def _copied(value: T, changes: dict[str, Any]) -> T:
    """Without slots a copy is one update of a dictionary, whatever the number of fields."""
    made = object.__new__(type(value))
    made.__dict__.update(value.__dict__)
    made.__dict__.update(changes)
    if len(made.__dict__) != len(value.__dict__):
        raise KeyError(*changes)
    return made
