"""Names of values as users write them, and the objects of a scenario that they may speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from scenarios.document.load import Loaded
from scenarios.document.schema import DOCUMENT
from scenarios.findings import Path
from scenarios.manifests import Document
from sim.model.strategy import ArgoRollout, RollingUpdate

TEMPLATES: Final = ("AnalysisTemplate", "ClusterAnalysisTemplate")
_PART: Final = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")
_SCENARIO_KEYS: Final = frozenset(field.name for field in DOCUMENT.fields)
_NAMING: Final = ("name", "templateName", "metricName")
"""Fields by which the items of a list are called."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a name begins: in an object, or (None) in the scenario, and what of the name is left."""

    document: Document | None
    base: Path
    rest: str


def parts_of(name: str) -> Path | None:
    """``steps[0].pause -> ('steps', 0, 'pause')``, ``metrics[p99].count -> ('metrics', '[p99', 'count')``; None if malformed.

    An item that is called by its name keeps the bracket, which no key has.
    """
    parts: list[str | int] = []
    end = 0
    while match := _PART.match(name, end):
        word, item = match.groups()
        parts.append(word if word is not None else int(item) if item.isdecimal() else f"[{item}")
        end = match.end()
    return tuple(parts) if parts and end == len(name) and not name.startswith(".") else None


def item_named(items: list[Any], name: str) -> int | None:
    """The index of the item that calls itself so."""
    return next(
        (i for i, item in enumerate(items) if isinstance(item, dict) and name in {item.get(key) for key in _NAMING}),
        None,
    )


def subject(loaded: Loaded) -> Document | None:
    """The Rollout or Deployment that the scenario's strategy is about."""
    match loaded.scenario.strategy:
        case ArgoRollout(name):
            return loaded.documents.find("Rollout", name)
        case RollingUpdate(name):
            return loaded.documents.find("Deployment", name)
    return None


def used_templates(loaded: Loaded) -> tuple[Document, ...]:
    """The templates that the subject names, in file order; all of them where it names none."""
    document = subject(loaded)
    templates = _last(loaded.documents.of_kind(*TEMPLATES))
    names = set(_named(document.data)) if document is not None else set()
    return tuple(item for item in templates if item.name in names) or templates


def _last(documents: tuple[Document, ...]) -> tuple[Document, ...]:
    """Of those written twice the last, which wins."""
    latest = {(item.kind, item.namespace, item.name): item for item in documents}
    return tuple(item for item in documents if latest[item.kind, item.namespace, item.name] is item)


def _named(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        name = data.get("templateName")
        yield from [name] if isinstance(name, str) else []
        for value in data.values():
            yield from _named(value)
    elif isinstance(data, list):
        for value in data:
            yield from _named(value)


def starts(loaded: Loaded, name: str) -> Iterator[Start]:
    """Every reading of a name, the most literal first."""
    yield from _explicit(loaded, name)
    yield from _by_object(loaded, name)
    yield from _by_metric(loaded, name)
    document = subject(loaded)
    if document is not None:
        for base in ((), ("spec",), ("spec", "strategy"), ("spec", "strategy", "canary")):
            yield Start(document, base, name)
    if re.split(r"[.\[]", name, maxsplit=1)[0] in _SCENARIO_KEYS:
        yield Start(None, (), name)


def _explicit(loaded: Loaded, name: str) -> Iterator[Start]:
    """``Kind/name:path``."""
    owner, colon, rest = name.partition(":")
    kind, slash, called = owner.partition("/")
    document = loaded.documents.find(kind, called) if colon and slash else None
    if document is not None:
        yield from _within(document, rest)


def _by_object(loaded: Loaded, name: str) -> Iterator[Start]:
    """``template-name.metrics[0].interval``; a name may itself have dots."""
    for document in (*used_templates(loaded), *_last(loaded.documents.objects)):
        if document.name and name.startswith(f"{document.name}."):
            yield from _within(document, name[len(document.name) + 1 :])


def _within(document: Document, rest: str) -> Iterator[Start]:
    bases: list[Path] = [(), ("spec",)]
    if document.kind in {"Rollout", "Deployment"}:
        bases += [("spec", "strategy"), ("spec", "strategy", "canary")]
    yield from (Start(document, base, rest) for base in bases)


def _by_metric(loaded: Loaded, name: str) -> Iterator[Start]:
    """``analysis.metric-name.field``, if it is the only metric of that name."""
    prefix = "analysis."
    if not name.startswith(prefix):
        return
    for document, index, called in metrics(loaded):
        if name[len(prefix) :].startswith(f"{called}."):
            yield Start(document, ("spec", "metrics", index), name[len(prefix) + len(called) + 1 :])


def metrics(loaded: Loaded) -> Iterator[tuple[Document, int, str]]:
    """Every named metric of the templates in use."""
    for document in used_templates(loaded):
        spec = document.data.get("spec")
        listed = spec.get("metrics") if isinstance(spec, dict) else None
        for index, metric in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(metric, dict) and isinstance(metric.get("name"), str):
                yield document, index, metric["name"]
