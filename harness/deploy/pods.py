"""Pod templates as the cluster runs them: one container of the application under test in place of the team's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from harness.app.environment import environment
from harness.cluster.objects import Object
from harness.deploy.target import Notes, Target
from scenarios.manifests.build.reading import amount, integer, items, mapping, mappings, text
from scenarios.manifests.build.workloads import pod_template
from sim.model.behaviour import VersionBehaviour
from sim.model.scenario import Scenario
from sim.model.telemetry import PrometheusTelemetry

SIDE: Final = "rolltwin.dev/side"
SCRAPE: Final = "rolltwin.dev/scrape"
PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")
_PROBE_FIELDS: Final = (
    "initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold",
)  # fmt: skip
_DEFAULT_PORT: Final = 8080
_ELSEWHERE: Final = "/healthz"
"""Where a probe looks that was none of HTTP."""
_PRIVILEGED: Final = 1024
_KEPT: Final = frozenset({"containers", "terminationGracePeriodSeconds", "restartPolicy"})
_PLACEMENT: Final = frozenset(
    {"affinity", "nodeName", "nodeSelector", "tolerations", "topologySpreadConstraints", "schedulerName"}
)
_IGNORED: Final = frozenset({"automountServiceAccountToken", "enableServiceLinks"})


@dataclass(frozen=True, slots=True)
class Version:
    """What runs in the pods of one side."""

    side: str
    behaviour: VersionBehaviour
    telemetry: PrometheusTelemetry
    sample_s: float


def versions(scenario: Scenario, telemetry: PrometheusTelemetry) -> tuple[Version, Version]:
    """The stable version and the candidate."""
    sample_s = scenario.telemetry.sample_interval_s
    return (
        Version("stable", scenario.stable, telemetry, sample_s),
        Version("candidate", scenario.release.behaviour, telemetry, sample_s),
    )


@dataclass(frozen=True, slots=True)
class Room:
    """What of the scenario's requests the cluster can grant: as many pods fit as on the scenario's nodes."""

    cpu: float = 1.0
    """Factor of the cores asked for."""
    memory: float = 1.0

    @classmethod
    def of(cls, scenario: Scenario, target: Target) -> Room:
        """The target's room as a share of the scenario's nodes, at most all of it."""
        cluster = scenario.cluster
        cores, memory = cluster.nodes * cluster.node_cpu, cluster.nodes * cluster.node_memory
        return cls(min(1.0, target.cpu / (cores or 1.0)), min(1.0, target.memory / (memory or 1.0)))


class Pods:
    """Adapts pod templates for one target; what it changes is noted."""

    def __init__(self, target: Target, room: Room, notes: Notes, services: Sequence[Object]) -> None:
        self._target, self._room, self._notes = target, room, notes
        self._services = services

    def template(self, written: Mapping[str, Any], version: Version, owner: str) -> Object:
        """The template with the application under test behaving as the version does.

        Templates of two versions differ in the environment and one annotation only.
        """
        spec, metadata = mapping(written, "spec"), mapping(written, "metadata")
        self._note_pod(spec, owner)
        annotations = mapping(metadata, "annotations") | {SIDE: version.side, SCRAPE: "true"}
        kept = {key: spec[key] for key in ("terminationGracePeriodSeconds", "restartPolicy") if key in spec}
        pod = kept | {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "containers": [self._container(written, version, owner)],
        }
        return {"metadata": {"labels": mapping(metadata, "labels"), "annotations": annotations}, "spec": pod}

    def _container(self, written: Mapping[str, Any], version: Version, owner: str) -> Object:
        main: dict[str, Any] = next(mappings(written, "spec", "containers"), {})
        ports = self._ports(written, main)
        probes = {kind: self._probe(mapping(main, kind), kind, ports[0], owner) for kind in PROBES if main.get(kind)}
        paths = sorted({probe["httpGet"]["path"] for probe in probes.values()})
        told = environment(
            version.behaviour,
            version.side,
            version.telemetry,
            ports=ports,
            probes=paths,
            sample_s=version.sample_s,
            database=self._target.database,
        )
        if self._target.database:
            self._notes.add(owner, "every request looks into a PostgreSQL first, which the twin knows nothing of")
        container = {
            "name": text(main, "name") or "app",
            "image": self._target.image,
            "imagePullPolicy": "IfNotPresent",
            "env": [*self._env(main, owner), *({"name": key, "value": value} for key, value in told.items())],
            "ports": _own_ports(written) or [{"containerPort": ports[0]}],
            "resources": {"requests": self._requests(written, owner)},
        }
        return container | probes | self._lifecycle(written, main, owner) | self._user(ports, owner)

    def _ports(self, written: Mapping[str, Any], main: dict[str, Any]) -> list[int]:
        """Every port that clients or probes come by, the first container's own first."""
        own = _own_ports(written)
        named: dict[Any, Any] = {text(port, "name"): port["containerPort"] for port in own}
        targets = (
            port.get("targetPort", port.get("port"))
            for service in self._services
            if _selects(mapping(service, "spec", "selector"), mapping(written, "metadata", "labels"))
            for port in mappings(service, "spec", "ports")
        )
        probed = (handler.get("port") for kind in PROBES for handler in _handlers(mapping(main, kind)))
        wanted = (*(port["containerPort"] for port in own), *(named.get(one, one) for one in (*targets, *probed)))
        return list(dict.fromkeys(port for port in wanted if isinstance(port, int))) or [_DEFAULT_PORT]

    def _probe(self, probe: dict[str, Any], kind: str, port: int, owner: str) -> Object:
        get = probe.get("httpGet")
        counts = {key: probe[key] for key in _PROBE_FIELDS if key in probe}
        if isinstance(get, dict):
            path = text(get, "path") or "/"
            return counts | {"httpGet": {"path": path, "port": get.get("port", port)}}
        handler = next((one for one in ("exec", "tcpSocket", "grpc") if one in probe), "none")
        self._notes.add(owner, f"the {kind} ({handler}) asks the application over HTTP")
        written = mapping(probe, handler).get("port", port)
        return counts | {"httpGet": {"path": _ELSEWHERE, "port": written}}

    def _env(self, main: dict[str, Any], owner: str) -> Iterator[Object]:
        dropped = len(items(main, "envFrom"))
        for variable in mappings(main, "env"):
            if {"configMapKeyRef", "secretKeyRef", "fileKeyRef"} & set(mapping(variable, "valueFrom")):
                dropped += 1
            elif text(variable, "name").startswith("ROLLTWIN_"):
                continue
            else:
                yield variable
        if dropped:
            self._notes.add(
                owner, "variables from ConfigMaps and Secrets are left out, the application has no use for them"
            )

    def _requests(self, written: Mapping[str, Any], owner: str) -> Object:
        """All containers' requests together, scaled: the pod takes as large a share of the cluster as in the scenario."""
        typed, containers = pod_template(dict(written)), list(mappings(written, "spec", "containers"))
        if any(amount(one, "resources", "limits", key) for one in containers for key in ("cpu", "memory")):
            self._notes.add(owner, "limits are left out, they would throttle or kill the application under test")
        if not (typed.cpu_request or typed.memory_request):
            return {}
        if min(self._room.cpu, self._room.memory) < 1:
            self._notes.add(
                owner,
                f"requests are scaled to {100 * self._room.cpu:.3g} % of the cores and {100 * self._room.memory:.3g} % of "
                "the memory, so that as many pods fit on this cluster as on the scenario's",
            )
        cpu, memory = typed.cpu_request * self._room.cpu, typed.memory_request * self._room.memory
        scaled = {"cpu": f"{max(1, ceil(1000 * cpu))}m" if cpu else "", "memory": str(ceil(memory)) if memory else ""}
        return {name: value for name, value in scaled.items() if value}

    def _lifecycle(self, written: Mapping[str, Any], main: dict[str, Any], owner: str) -> Object:
        """The sleep that the twin reads from ``preStop``, if it is one; no other hook."""
        hooks, sleep_s = mapping(main, "lifecycle"), pod_template(dict(written)).pre_stop_s
        if "postStart" in hooks or ("preStop" in hooks and not sleep_s):
            self._notes.add(owner, "lifecycle hooks other than a preStop sleep are left out")
        if not sleep_s:
            return {}
        return {"lifecycle": {"preStop": {"exec": {"command": ["sleep", f"{sleep_s:g}"]}}}}

    def _user(self, ports: Iterable[int], owner: str) -> Object:
        if min(ports) >= _PRIVILEGED:
            return {}
        self._notes.add(owner, f"the container runs as root, because it listens on port {min(ports)}")
        return {"securityContext": {"runAsUser": 0, "runAsNonRoot": False}}

    def _note_pod(self, spec: dict[str, Any], owner: str) -> None:
        self._notes.add(
            owner, f"the application's image is replaced by {self._target.image}, which behaves as the scenario says"
        )
        others = [
            text(one, "name") for one in (*list(mappings(spec, "containers"))[1:], *mappings(spec, "initContainers"))
        ]
        if others:
            self._notes.add(owner, f"the containers {', '.join(others)} are left out, the application does without")
        placed = sorted(_PLACEMENT & set(spec))
        if placed:
            self._notes.add(owner, f"{', '.join(placed)} left out, the nodes here are others")
        rest = sorted(set(spec) - _KEPT - _PLACEMENT - _IGNORED - {"initContainers"})
        if rest:
            self._notes.add(owner, f"{', '.join(rest)} left out, what they name does not exist here")


def _own_ports(written: Mapping[str, Any]) -> list[Object]:
    """Ports of all containers, as the one that stands in for them has them; names and numbers come once."""
    found: dict[int, Object] = {}
    names: set[str] = set()
    for port in (port for one in mappings(written, "spec", "containers") for port in mappings(one, "ports")):
        number, name = integer(port, "containerPort"), text(port, "name")
        if number is None or text(port, "protocol") == "UDP" or number in found or name in names:
            continue
        found[number] = {"name": name, "containerPort": number} if name else {"containerPort": number}
        names |= {name} if name else set()
    return list(found.values())


def _handlers(probe: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (handler for one in ("httpGet", "tcpSocket", "grpc") if isinstance(handler := probe.get(one), dict))


def _selects(selector: dict[str, Any], labels: dict[str, Any]) -> bool:
    return bool(selector) and selector.items() <= labels.items()
