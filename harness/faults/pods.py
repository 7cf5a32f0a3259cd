"""Pods as faults see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from harness.cluster.objects import Object
from harness.cluster.statuses import condition, container
from harness.recorder import Recorder
from harness.watching import side_of
from sim.decide import faults as rules
from sim.model.behaviour import Target


@dataclass(frozen=True, slots=True)
class Subject:
    """A live pod of the application."""

    name: str
    side: str
    version: str
    created: str
    node: str = ""
    container: str = ""
    """Identity of the running container; '' while none runs. Another one knows nothing of what the last one was told."""
    ready_s: float | None = None
    """Since when it has been Ready, seconds after the apply."""
    leaves: bool = False
    """Whether it is being deleted."""
    address: str = ""
    """Its IP address; '' before it has one."""

    def is_target(self, target: Target) -> bool:
        """Whether it is of the side and version aimed at, whatever its share."""
        return rules.is_target(target, self.side, self.version)


def subjects(pods: Iterable[Object], versions: Mapping[str, str], recorder: Recorder) -> list[Subject]:
    """Every pod of the application, oldest first; ``versions`` are names by side.

    The API tells creation to the second: of pods made together the order is that of their names.
    """
    found = [_subject(pod, versions, recorder) for pod in pods if side_of(pod)]
    return sorted(found, key=lambda one: (one.created, one.name))


def _subject(pod: Object, versions: Mapping[str, str], recorder: Recorder) -> Subject:
    metadata, status, ready = pod["metadata"], container(pod), condition(pod, "Ready")
    since = ready.get("lastTransitionTime") if ready.get("status") == "True" else None
    runs = "running" in (status.get("state") or {})
    return Subject(
        name=metadata["name"],
        side=side_of(pod),
        version=versions.get(side_of(pod), ""),
        created=str(metadata.get("creationTimestamp", "")),
        node=str(pod["spec"].get("nodeName") or ""),
        container=str(status.get("containerID", "")) if runs else "",
        ready_s=recorder.at(datetime.fromisoformat(since).timestamp()) if since else None,
        leaves="deletionTimestamp" in metadata,
        address=str((pod.get("status") or {}).get("podIP", "")),
    )
