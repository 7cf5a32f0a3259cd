"""The scenarios around two policies: in what their worlds differ, and how to put both into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scenarios.document.fields import Field, Kind, ListOf, Maybe, Section, Union
from scenarios.document.schema import DOCUMENT, RELEASE
from sim.model.scenario import Scenario

WORLDS = ("old", "new")
_ATTRIBUTES = {"traffic": "load", "releases": "mix"}
"""Attributes of a Scenario that its file calls otherwise."""
_POLICY = ("strategy", "delivery", "targets")
"""What a team decides besides its manifests."""
_NEITHER = ("schema", "name", "title", "description", "variant", "manifests", "without", "release", "seed")
"""Names, and what a comparison has for itself. All other fields are the world: what befalls a policy, whatever it is."""
_WORLD = tuple(field.name for field in DOCUMENT.fields if field.name not in {*_POLICY, *_NEITHER})


@dataclass(frozen=True, slots=True)
class WorldChange:
    """One field of the scenario that differs, as it would be written."""

    path: str
    old: str
    new: str


def world_changes(old: Scenario, new: Scenario) -> tuple[WorldChange, ...]:
    """In what the worlds differ; empty if whatever differs between two runs is due to the policy."""
    return tuple(_fields(_WORLD, old, new))


def policy_changes(old: Scenario, new: Scenario) -> tuple[WorldChange, ...]:
    """What was changed in the scenario's own part of the policy: strategy, delivery, targets."""
    return tuple(_fields(_POLICY, old, new))


def one_world(old: Scenario, new: Scenario, which: str) -> tuple[Scenario, Scenario]:
    """Both with the world of one of them (one of ``WORLDS``)."""
    giver = old if which == "old" else new
    world: dict[str, Any] = {_attribute(field): getattr(giver, _attribute(field)) for field in _named(_WORLD)}
    return replace(old, **world, release=giver.release), replace(new, **world, release=giver.release)


def same_policy(old: Scenario, new: Scenario) -> bool:
    """Whether the model cannot tell the two apart: equal but for their names and the places of what is refused."""
    return _essence(old) == _essence(new)


def _essence(scenario: Scenario) -> Scenario:
    refusals = tuple(replace(item, file="", line=0) for item in scenario.manifests.refusals)
    manifests = replace(scenario.manifests, refusals=refusals)
    return replace(scenario, title="", name="", variant="", description="", seed=0, manifests=manifests)


def _named(names: Sequence[str]) -> Iterator[Field]:
    known = {field.name: field for field in DOCUMENT.fields}
    yield from (known[name] for name in names)


def _attribute(field: Field) -> str:
    return _ATTRIBUTES.get(field.name, field.attribute)


def _fields(names: Sequence[str], old: Scenario, new: Scenario) -> Iterator[WorldChange]:
    for field in _named(names):
        kind: Kind = ListOf(RELEASE) if field.name == "releases" else field.kind
        before, after = getattr(old, _attribute(field)), getattr(new, _attribute(field))
        yield from _differences(kind, before, after, field.name)


def _differences(kind: Kind, old: Any, new: Any, path: str) -> Iterator[WorldChange]:
    """Down to the field that differs, as far as both sides have the same shape."""
    if old == new:
        return
    match kind:
        case Section():
            # What is only written (a Locust file) has become something else by now.
            for field in (one for one in kind.fields if hasattr(old, one.attribute)):
                before, after = getattr(old, field.attribute), getattr(new, field.attribute)
                yield from _differences(field.kind, before, after, f"{path}.{field.name}")
        case Union() if type(old) is type(new):
            section = next(section for section in kind.sections.values() if section.cls is type(old))
            yield from _differences(section, old, new, path)
        case Maybe() if old is not None and new is not None:
            yield from _differences(kind.kind, old, new, path)
        case ListOf() if None not in (names := (_by_name(old), _by_name(new))):
            yield from _of_named(kind.kind, names[0] or {}, names[1] or {}, path)
        case ListOf() if len(old) == len(new):
            for index, (before, after) in enumerate(zip(old, new, strict=True)):
                yield from _differences(kind.kind, before, after, f"{path}[{index}]")
        case _ if (before := _text(kind, old)) != (after := _text(kind, new)):
            yield WorldChange(path, before, after)


def _of_named(kind: Kind, old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[WorldChange]:
    for name in dict.fromkeys((*old, *new)):
        if name in old and name in new:
            yield from _differences(kind, old[name], new[name], f"{path}[{name}]")
        else:
            yield WorldChange(f"{path}[{name}]", _text(kind, old.get(name)), _text(kind, new.get(name)))


def _by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """Items by their names; None if some have none, or the same."""
    found = {getattr(item, "name", ""): item for item in items}
    return found if len(found) == len(items) and "" not in found else None


def _text(kind: Kind, value: Any) -> str:
    return "none" if value is None else kind.show(value)
