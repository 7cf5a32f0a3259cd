"""What a pod exposes, and where labels come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sim.model.telemetry import LabelSource


@dataclass(frozen=True, slots=True)
class PodView:
    """What one pod exposes at one instant: a snapshot, cumulative since the pod started.

    ``bucket_counts`` has one count per bound plus one for +Inf and is *not* cumulative over the bounds.
    ``fine_counts`` is the fine histogram from which the agent's percentiles are taken (None: no percentiles).
    """

    pod: str
    namespace: str = "default"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    hash: str = ""
    statuses: Mapping[int, int] = field(default_factory=dict)
    bucket_counts: Sequence[int] = ()
    latency_sum_s: float = 0.0
    workload: str = ""
    """Name of the Rollout or Deployment."""
    owner: str = ""
    """Name of the ReplicaSet."""
    service: str = ""
    """The Service that leads clients to the pod, '' if none does."""
    ingress: str = ""
    """The Ingress that sends to that Service, '' if none does."""
    container: str = ""
    """Name of the container that restarts."""
    restarts: int = 0
    ready: bool = True
    refusal: bool = False
    """No pod, but what proxies answered themselves in place of the Service's pods."""
    fine_counts: npt.NDArray[np.int64] | None = None

    @property
    def answers(self) -> int:
        """Answers given so far."""
        return sum(self.statuses.values())

    @property
    def identity(self) -> tuple[object, ...]:
        """Everything a label may come from, to be compared at once."""
        return (self.namespace, self.version, self.hash, self.labels, self.annotations, self.env)

    def lasting_identity(self) -> tuple[object, ...]:
        """The same, to be kept: the engine's mappings may change under a view."""
        return (*self.identity[:3], dict(self.labels), dict(self.annotations), dict(self.env))


def source_value(source: str, view: PodView, status: int | None) -> str:  # noqa: PLR0911  # one return per kind
    """What one label source yields for a pod ('' for nothing); ValueError when the source is not a known kind."""
    kind, _, key = source.partition(":")
    match kind:
        case "pod-label":
            return view.labels.get(key, "")
        case "pod-annotation":
            return view.annotations.get(key, "")
        case "env":
            return view.env.get(key, "")
        case "value":
            return key
        case "status":
            return "" if status is None else str(status)
        case "status-class":
            return "" if status is None else f"{status // 100}xx"
    plain = {
        "pod-name": view.pod,
        "namespace": view.namespace,
        "container": view.container,
        "version": view.version,
        "pod-template-hash": view.hash,
    }
    if kind not in plain:
        msg = f"{source!r} is not a label source"
        raise ValueError(msg)
    return plain[kind]


def labels_of(sources: Iterable[LabelSource], view: PodView, status: int | None = None) -> dict[str, str]:
    """Labels or tags of a pod: for each name the first source that yields something; names without any are left out."""
    found = {}
    for label in sources:
        value = next((text for source in label.sources if (text := source_value(source, view, status))), "")
        if value:
            found[label.name] = value
    return found
