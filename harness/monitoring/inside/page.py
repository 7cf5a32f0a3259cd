"""Samples of many pods as one page, each under the labels its target has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Sources = Sequence[tuple[str, Sequence[str]]]
"""(label, where it comes from): the first source that yields something wins."""
FIRST = "rolltwin_first_"
"""Prefix of a target label whose value overrules the application's label of the rest of the name."""
FROM_PODS = ("pod-label", "pod-annotation", "pod-name", "namespace", "container", "pod-template-hash")
"""Sources that the target tells; the application tells the others by itself."""

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S.*)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_HASHES = ("rollouts-pod-template-hash", "pod-template-hash")


@dataclass(frozen=True)
class Target:
    """One pod that is scraped."""

    name: str
    address: str
    """``HOST:PORT``."""
    path: str
    values: Mapping[str, str] = field(default_factory=dict)
    """What each source that the target tells yields, '' for nothing."""


def value_of(source: str, pod: Mapping[str, dict[str, object]]) -> str:
    """What a source that the target tells yields for a Pod object."""
    kind, _, key = source.partition(":")
    metadata, spec = pod.get("metadata", {}), pod.get("spec", {})
    labels = _texts(metadata.get("labels"))
    match kind:
        case "pod-label":
            return labels.get(key, "")
        case "pod-annotation":
            return _texts(metadata.get("annotations")).get(key, "")
        case "pod-template-hash":
            return next((labels[name] for name in _HASHES if name in labels), "")
        case "container":
            containers = spec.get("containers")
            return str(containers[0]["name"]) if isinstance(containers, list) and containers else ""
    return str(metadata.get("name" if kind == "pod-name" else "namespace", ""))


def _texts(value: object) -> dict[str, str]:
    return value if isinstance(value, dict) else {}


def tells_target(source: str) -> bool:
    """Whether the target knows the source's value, rather than the application."""
    return source.partition(":")[0] in FROM_PODS


def is_overruled(candidates: Sequence[str]) -> bool:
    """Whether the target is asked for a label before the application, which may know something too."""
    return tells_target(candidates[0]) and not all(tells_target(one) for one in candidates)


def target_labels(sources: Sources, values: Mapping[str, str]) -> dict[str, str]:
    """What a target gives to its samples where Prometheus puts the labels together, which leaves the sample's own alone."""
    labels = {}
    for name, candidates in sources:
        value = next((value for one in candidates if tells_target(one) and (value := values.get(one, ""))), "")
        if value:
            labels[f"{FIRST}{name}" if is_overruled(candidates) else name] = value
    return labels


class Labelling:
    """Puts a target's labels on its samples; remembers what it has worked out."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._known: dict[tuple[str, str], str] = {}

    def samples(self, target: Target, text: str) -> Iterator[str]:
        """The sample lines of an exposition, with the target's labels; comments are left out."""
        for line in text.splitlines():
            found = _SAMPLE.fullmatch(line.strip()) if not line.startswith("#") else None
            if found is not None:
                name, own, value = found.groups()
                yield f"{name}{{{self._labels(target, own or '')}}} {value}"

    def up(self, target: Target, *, answered: bool) -> str:
        """The sample that says whether the target answered."""
        return f"up{{{self._labels(target, '')}}} {int(answered)}"

    def forget(self, names: Iterable[str]) -> None:
        """Keeps nothing but what belongs to these pods."""
        kept = set(names)
        self._known = {key: text for key, text in self._known.items() if key[0] in kept}

    def _labels(self, target: Target, own: str) -> str:
        key = target.name, own
        if key not in self._known:
            labels = merged(self._sources, target.values, dict(_LABEL.findall(own)))
            self._known[key] = ",".join(f'{name}="{value}"' for name, value in labels.items())
        return self._known[key]


def merged(sources: Sources, target: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Labels of a sample, values escaped: its own, and for every source list the first that yields something."""
    labels = dict(own)
    for name, candidates in sources:
        values = (_escaped(target.get(one, "")) if tells_target(one) else own.get(name, "") for one in candidates)
        value = next((value for value in values if value), "")
        if value:
            labels[name] = value
    return labels


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
