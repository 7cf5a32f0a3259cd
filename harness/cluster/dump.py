"""What a namespace looked like when something went wrong: files for reading, a few lines for the error's message."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from harness.cluster.cluster import Cluster
from harness.cluster.commands import CommandError
from harness.cluster.namespace import listed
from harness.cluster.objects import Object, Objects

KINDS = (
    *("Pod", "ReplicaSet", "Deployment", "Service", "Endpoints", "ConfigMap", "Ingress", "Event"),
    *("Rollout", "AnalysisRun", "Experiment", "VirtualService", "DestinationRule"),
)
LAST_EVENTS = 8
LOG_LINES = 500


def dump(cluster: Cluster, objects: Objects, folder: Path, name: str = "dump") -> str:
    """Writes every object and the ends of all logs below ``folder/name`` and returns the summary with that path."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    found = {kind: listed(objects, kind) for kind in KINDS}
    for kind, items in found.items():
        if items:
            text = json.dumps([_readable(item) for item in items], indent=1, ensure_ascii=False)
            (place / f"{kind.lower()}s.json").write_text(text, encoding="utf-8")
    for pod in found["Pod"]:
        _write_logs(cluster, pod, place)
    return f"{summary(found)}\n(everything is in {place})"


def summary(found: dict[str, list[Object]]) -> str:
    """One line for each pod, rollout and analysis run, and the last warnings."""
    lines = [
        *(pod_line(item) for item in found.get("Pod", ())),
        *(status_line(item) for kind in ("Rollout", "AnalysisRun", "Experiment") for item in found.get(kind, ())),
        *event_lines(found.get("Event", ())),
    ]
    return "\n".join(lines) or "the namespace is empty"


def pod_line(pod: Object) -> str:
    """A pod's name, phase, readiness, restarts and what keeps its containers."""
    status = pod.get("status", {})
    containers = status.get("containerStatuses", ())
    ready = sum(bool(item.get("ready")) for item in containers)
    restarts = sum(item.get("restartCount", 0) for item in containers)
    ending = " ending" if "deletionTimestamp" in pod["metadata"] else ""
    line = f"Pod {pod['metadata']['name']}: {status.get('phase', '?')}{ending}, {ready}/{len(containers)} ready"
    return ", ".join([line, *([f"{restarts} restarts"] if restarts else []), *_reasons(containers)])


def _reasons(containers: Iterable[Object]) -> Iterable[str]:
    for container in containers:
        for state in ("waiting", "terminated"):
            found = container.get("state", {}).get(state)
            if found:
                yield f"{container['name']} {state}: {found.get('reason', '')} {found.get('message', '')}".strip()


def status_line(item: Object) -> str:
    """A rollout's, analysis run's or experiment's phase and message."""
    status = item.get("status", {})
    said = " ".join(filter(None, (status.get("phase", "no phase"), status.get("message", ""))))
    return f"{item['kind']} {item['metadata']['name']}: {said}"


def event_lines(events: Iterable[Object]) -> list[str]:
    """The last warnings of Kubernetes, oldest first."""
    warnings = [item for item in events if item.get("type") == "Warning"]
    warnings.sort(key=lambda item: item.get("lastTimestamp") or item["metadata"].get("creationTimestamp") or "")
    return [
        f"Warning {item.get('reason', '')} {item.get('involvedObject', {}).get('name', '')}: {item.get('message', '')}"
        for item in warnings[-LAST_EVENTS:]
    ]


def _readable(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {**item, "metadata": metadata}


def _write_logs(cluster: Cluster, pod: Object, place: Path) -> None:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    for container in (item["name"] for item in pod["spec"]["containers"]):
        for suffix, options in (("", ()), (".previous", ("--previous",))):
            with suppress(CommandError):  # a container that never ran has no log
                said = cluster.kubectl("-n", namespace, "logs", name, "-c", container, f"--tail={LOG_LINES}", *options)
                (place / f"{name}.{container}{suffix}.log").write_text(said, encoding="utf-8")
