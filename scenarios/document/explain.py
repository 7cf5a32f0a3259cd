"""A document's schema as text: every field, what to write, its default and its meaning, from the tables alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scenarios.document.fields import DelayKind, Field, Kind, ListOf, Maybe, Section, Short, Union
from scenarios.document.schema import DOCUMENT, EFFECTS, RELEASE, TARGET, TRIGGER, Anything, FaultKind


class NoSuchPartError(LookupError):
    """The part of the schema asked for does not exist; the text names those that do."""


def explain(part: str = "", document: Section = DOCUMENT) -> str:
    """The schema below a dotted path (``people.alert``), as indented text; of a scenario, if no other is given."""
    section: Section | Union = document
    for name in filter(None, part.split(".")):
        fields = section.fields if isinstance(section, Section) else ()
        found = next((item for item in fields if item.name == name), None)
        inner = None if found is None else _inside(found.kind)
        if found is None:
            raise NoSuchPartError("parts: " + ", ".join(item.name for item in fields))
        if inner is None:
            return "\n".join(_field(found, section, 0))
        section = inner
    return "\n".join(_lines(section, 0))


def _inside(kind: Kind) -> Section | Union | None:
    match kind:
        case Section() | Union():
            return kind
        case Maybe(kind=inner) | ListOf(kind=inner) | Short(kind=inner):
            return _inside(inner)
        case Anything():
            return RELEASE
        case _:
            return None


def _lines(section: Section | Union, depth: int) -> Iterator[str]:
    if isinstance(section, Union):
        for name, member in section.sections.items():
            yield f"{'  ' * depth}kind: {name}"
            yield from _lines(member, depth + 1)
        return
    for item in section.fields:
        yield from _field(item, section, depth)


def _or_text(kind: Kind) -> str:
    """What may be written in place of a mapping."""
    match kind:
        case ListOf(kind=Short(text=text)):
            return f" Each is {text}, or:"
        case Short(text=text):
            return f" Write {text}, or:"
        case _:
            return ""


def _field(item: Field, section: Section | Union, depth: int) -> Iterator[str]:
    inner = _inside(item.kind)
    margin = "  " * depth
    many = " (list)" if isinstance(item.kind, ListOf | Anything) else ""
    if inner is not None:
        yield f"{margin}{item.name}:{many}  # {item.meaning}{_or_text(item.kind)}"
        yield from _lines(inner, depth + 1)
        return
    yield f"{margin}{item.name}: {_default(item, section)}  # {item.meaning} Write {item.kind.expected}."
    if isinstance(item.kind, ListOf) and isinstance(item.kind.kind, FaultKind):
        yield from _fault(depth + 1)


def _fault(depth: int) -> Iterator[str]:
    yield "  " * depth + "name: fault  # What people call it. Write a name."
    yield from _lines(EFFECTS, depth)
    yield "  " * depth + "when:  # All conditions given must hold at once."
    yield from _lines(TRIGGER, depth + 1)
    yield "  " * depth + "target:  # Whom it befalls (faults of a version befall that version)."
    yield from _lines(TARGET, depth + 1)


def _default(item: Field, section: Section | Union) -> str:
    if item.required or isinstance(section, Union):
        return "REQUIRED"
    value: Any = section.default(item)
    if value is None and not isinstance(item.kind, Maybe | DelayKind):
        return "(none)"
    return item.kind.show(value) or '""'
