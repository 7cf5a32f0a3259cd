"""RT43x: what manifests say that has no effect in a simulation, so that nobody trusts it to have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.findings import Path, Severity
from scenarios.manifests import Document
from scenarios.rules.context import Context, space
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import dig, mapping, text

_ANY = "*"
"""Every item of a list."""

_POD: Path = ("spec", "template", "spec")
_CONTAINER: Path = (*_POD, "containers", _ANY)

_POD_FIELDS: tuple[tuple[Path, str], ...] = (
    ((*_POD, "initContainers"), "init containers take no time to start and cannot fail"),
    ((*_POD, "priorityClassName"), "pods are not preempted"),
    ((*_POD, "nodeSelector"), "pods go to any node with room"),
    ((*_POD, "affinity"), "pods go to any node with room (only strategy.*.antiAffinity counts)"),
    ((*_POD, "tolerations"), "nodes have no taints"),
    ((*_POD, "topologySpreadConstraints"), "pods go to the node with the fewest of them"),
    ((*_POD, "readinessGates"), "a pod is ready by its probes alone"),
    ((*_POD, "runtimeClassName"), "all pods start alike"),
    ((*_CONTAINER, "resources", "limits", "cpu"), "CPU is not throttled; service times do not depend on load"),
    ((*_CONTAINER, "lifecycle", "postStart"), "it takes no time and cannot fail"),
    ((*_POD, "containers", 1), "only the first container serves, is probed and can fail"),
)
_ROLLOUT_FIELDS: tuple[tuple[Path, str], ...] = (
    (
        ("spec", "workloadRef", "scaleDown"),
        "the referenced Deployment's own pods are not simulated, neither before its migration nor after",
    ),
    (
        ("spec", "strategy", "canary", "trafficRouting", "plugins"),
        "weights are set at once, like those of a built-in router",
    ),
)
_OTHER_FIELDS: tuple[tuple[str, Path, str], ...] = (
    ("Service", ("spec", "sessionAffinity"), "each request goes to any ready pod"),
    ("Service", ("spec", "publishNotReadyAddresses"), "only ready pods get requests"),
    ("HorizontalPodAutoscaler", ("spec", "scaleTargetRef"), "replicas stay as written, whatever the load"),
    ("ScaledObject", ("spec", "scaleTargetRef"), "replicas stay as written, whatever the load"),
    ("VerticalPodAutoscaler", ("spec", "targetRef"), "requests stay as written"),
    ("PodDisruptionBudget", ("spec",), "nodes are not drained: nobody asks to evict a pod"),
    ("NetworkPolicy", ("spec",), "every pod reaches every other"),
)
_SCALES_DOWN = frozenset({"onsuccess", "progressively"})
_DEFAULTS = {"sessionAffinity": "None"}


def without_effect(context: Context) -> Iterator[Hit]:
    """Fields that the engine does not read, the first place of each."""
    fields = [
        *((kind, path, words) for kind in ("Rollout", "Deployment") for path, words in _POD_FIELDS),
        *(("Rollout", path, words) for path, words in _ROLLOUT_FIELDS),
        *_OTHER_FIELDS,
    ]
    told: set[str] = set()
    for kind, path, words in fields:
        places = [(document, place) for document in context.of_kind(kind) for place in _places(document, path)]
        if places and words not in told:
            told.add(words)
            document, place = places[0]
            more = f" (and at {len(places) - 1} more places)" if len(places) > 1 else ""
            message = f"{_name(path)} of {kind} {document.name!r}{more} has no effect in a simulation: {words}"
            yield Hit(document, place, message)


def pods_of_references(context: Context) -> Iterator[Hit]:
    """Deployments that a Rollout takes its template from and that nobody scales down (``rollout/sync.go:1362``)."""
    for rollout in context.of_kind("Rollout"):
        reference = mapping(rollout.data, "spec", "workloadRef")
        if reference.get("kind") != "Deployment" or reference.get("scaleDown") in _SCALES_DOWN:
            continue
        deployment = context.find("Deployment", text(reference, "name"), space(rollout))
        if deployment is not None and dig(deployment.data, "spec", "replicas") != 0:
            message = (
                f"Deployment {deployment.name!r} keeps its own pods beside those of Rollout {rollout.name!r}: it rolls each new "
                f"template out at once, unjudged, wherever a Service selects them; the twin does not simulate these pods"
            )
            yield Hit(rollout, ("spec", "workloadRef"), message)


def _name(path: Path) -> str:
    parts = [str(part) for part in path if part not in {"spec", "template", _ANY}]
    return "the second container" if parts[-1:] == ["1"] else ".".join(parts[-3:]) or "spec"


def _places(document: Document, path: Path) -> Iterator[Path]:
    """Where something is written at the path that is not its default."""
    for place, value in _matches(document.data, path, ()):
        empty = value is None or value is False or (isinstance(value, Mapping | list | str) and not value)
        if not empty and value != _DEFAULTS.get(str(place[-1])):
            yield place


def _matches(data: Any, path: Path, at: Path) -> Iterator[tuple[Path, Any]]:
    if not path:
        yield at, data
        return
    first, rest = path[0], path[1:]
    for key, item in _children(data):
        if first in {key, _ANY}:
            yield from _matches(item, rest, (*at, key))


def _children(data: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(data, Mapping):
        yield from ((str(key), item) for key, item in data.items())
    elif isinstance(data, list):
        yield from enumerate(data)


RULES = (
    Rule(
        "RT430",
        "not-simulated",
        Severity.INFO,
        "The cluster heeds it and the twin does not; docs/model.md lists what else is left out.",
        "judge what depends on it with a real cluster",
        without_effect,
    ),
    Rule(
        "RT431",
        "reference-keeps-pods",
        Severity.WARNING,
        "A Deployment named by workloadRef goes on deploying for itself: its pods run a release as soon as its template "
        "changes, before any step of the Rollout.",
        "replicas: 0 in the Deployment, or workloadRef.scaleDown: onsuccess",
        pods_of_references,
    ),
)
