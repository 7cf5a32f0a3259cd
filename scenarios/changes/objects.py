"""What was changed between two versions of the same objects, field by field, with the place on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from scenarios import manifests
from scenarios.changes.values import same, shown, step_text
from scenarios.changes.words import item_name, place_words
from scenarios.findings import Path, path_text
from scenarios.manifests import Document, Documents

_NOT_POLICY = frozenset(
    {
        ("status",),
        ("metadata", "namespace"),
        *(("metadata", key) for key in ("creationTimestamp", "resourceVersion", "uid", "generation", "managedFields")),
        ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"),
    }
)
"""What a cluster writes into an object, and what the objects that are compared have in common."""
_ORDERED = frozenset({"http", "route"})
"""Named lists whose order means something."""
_MISSING = object()
_RANKS = ("Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "VirtualService", "DestinationRule", "Service")
"""Kinds that decide most come first."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``old`` or ``new`` is None where the field (or the whole object) is not there."""

    subject: str
    """``Rollout shop``."""
    where: str
    """In words: ``canary step 3``; empty for a whole object."""
    old: str | None
    new: str | None
    path: str = ""
    """As the API server writes it, in the new version (in the old one for what was removed)."""
    old_place: str = ""
    """``file:line``; empty where there is none."""
    new_place: str = ""
    modelled: bool = True
    """False if nothing that was changed in the object is read by the model."""


def changes(old: Documents, new: Documents) -> tuple[Change, ...]:
    """Every difference between the objects: those that decide most first, what the model does not read last."""
    before, after = _by_identity(old), _by_identity(new)
    found: list[Change] = []
    for identity, document in after.items():
        if identity in before:
            found += _of_object(before[identity], document)
        else:
            found.append(_whole(document, added=True))
    found += [_whole(document, added=False) for identity, document in before.items() if identity not in after]
    return tuple(sorted(found, key=_rank))


def _rank(change: Change) -> tuple[bool, int]:
    kind = change.subject.partition(" ")[0]
    return not change.modelled, _RANKS.index(kind) if kind in _RANKS else len(_RANKS)


def _by_identity(documents: Documents) -> dict[tuple[str, str, str, str], Document]:
    """Objects by group, kind, namespace and name; of one written twice the last, as applied."""
    return {(item.group, item.kind, item.namespace or "default", item.name): item for item in documents.objects}


def _subject(document: Document) -> str:
    return f"{document.kind} {document.name}".rstrip()


def _whole(document: Document, *, added: bool) -> Change:
    place = f"{document.file}:{document.line}"
    known = _modelled(None, document)
    if added:
        return Change(_subject(document), "", None, "added", new_place=place, modelled=known)
    return Change(_subject(document), "", "removed", None, old_place=place, modelled=known)


def _of_object(old: Document, new: Document) -> list[Change]:
    found = [_change(old, new, difference) for difference in _differences(old.data, new.data, (), ())]
    if not found or _modelled(old, new):
        return found
    return [replace(change, modelled=False) for change in found]


def _modelled(old: Document | None, new: Document) -> bool:
    """Whether the model reads anything of what was changed."""
    before, after = (
        replace(manifests.typed(Documents(() if item is None else (item,))), refusals=()) for item in (old, new)
    )
    refused = [bool(item.problems) for item in (old, new) if item is not None]
    return before != after or len(set(refused)) > 1


_Difference = tuple[Path, Path, Any, Any]
"""Path in the old and in the new object, old and new value (``_MISSING`` where there is none)."""


def _differences(old: Any, new: Any, was: Path, now: Path) -> Iterator[_Difference]:
    if was in _NOT_POLICY or same(now, old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in (*old, *(key for key in new if key not in old)):
            yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), (*was, key), (*now, key))
    elif isinstance(old, list) and isinstance(new, list) and _of_mappings(old, new):
        yield from _of_lists(old, new, was, now)
    else:
        yield was, now, old, new


def _of_mappings(*lists: Sequence[Any]) -> bool:
    return all(isinstance(item, dict) for items in lists for item in items)


def _of_lists(old: list[Any], new: list[Any], was: Path, now: Path) -> Iterator[_Difference]:
    names = [item_name(item) for item in old], [item_name(item) for item in new]
    if all("" not in side and len(set(side)) == len(side) for side in names):
        yield from _of_named(dict(zip(names[0], old, strict=True)), dict(zip(names[1], new, strict=True)), was, now)
    else:
        yield from _of_sequences(old, new, was, now)


def _of_named(old: Mapping[str, Any], new: Mapping[str, Any], was: Path, now: Path) -> Iterator[_Difference]:
    common = [name for name in old if name in new], [name for name in new if name in old]
    if now[-1] in _ORDERED and common[0] != common[1]:
        yield was, now, list(old), list(new)
    places = {name: index for index, name in enumerate(old)}, {name: index for index, name in enumerate(new)}
    for name in (*old, *(name for name in new if name not in old)):
        before, after = old.get(name, _MISSING), new.get(name, _MISSING)
        yield from _differences(
            before, after, (*was, places[0].get(name, len(old))), (*now, places[1].get(name, len(new)))
        )


def _of_sequences(old: list[Any], new: list[Any], was: Path, now: Path) -> Iterator[_Difference]:
    """Equal items are matched first, then those of one kind between them; what is left was added or removed."""
    for start, end, first, last in _unmatched(list(map(repr, old)), list(map(repr, new))):
        kinds = [_keys(item) for item in old[start:end]], [_keys(item) for item in new[first:last]]
        paired = dict(_matches(*kinds))
        for index in range(start, end):
            partner = paired.get(index - start)
            after = _MISSING if partner is None else new[first + partner]
            yield from _differences(old[index], after, (*was, index), (*now, first + (partner or 0)))
        for index in range(first, last):
            if index - first not in paired.values():
                yield (*was, len(old)), (*now, index), _MISSING, new[index]


def _unmatched(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    for tag, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield start, end, first, last


def _keys(item: dict[str, Any]) -> str:
    """What kind of item it is: of a canary step, the one thing it does."""
    return " ".join(sorted(map(str, item)))


def _matches(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        yield from ((block.a + offset, block.b + offset) for offset in range(block.size))


def _change(old: Document, new: Document, difference: _Difference) -> Change:
    was, now, before, after = difference
    gone, come = after is _MISSING, before is _MISSING
    path, data = (was, old.data) if gone else (now, new.data)
    return Change(
        _subject(new),
        place_words(path, data),
        None if come else _shown(was, before),
        None if gone else _shown(now, after),
        path_text(path),
        _place(old, was, exists=not come),
        _place(new, now, exists=not gone),
    )


def _shown(path: Path, value: Any) -> str:
    return step_text(value) if len(path) > 1 and path[-2] == "steps" else shown(value)


def _place(document: Document, path: Path, *, exists: bool) -> str:
    """``file:line`` of the field; of where it would stand, for one that is not there."""
    return f"{document.file}:{document.position(path if exists else path[:-1])[0]}"
