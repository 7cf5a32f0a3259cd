"""Objects other than workloads, as they are applied in the run's one namespace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from harness.cluster.objects import Object
from harness.deploy.target import Notes
from scenarios.manifests.build.reading import mapping, text
from scenarios.manifests.edit import replaced

_SERVICE_FIELDS: Final = ("ports", "selector", "sessionAffinity", "publishNotReadyAddresses")
_PORT_FIELDS: Final = ("name", "port", "protocol", "targetPort")
_DESTINATIONS: Final[tuple[tuple[str, ...], ...]] = (
    ("http", "*", "route", "*", "destination", "host"),
    ("http", "*", "mirror", "host"),
    ("http", "*", "mirrors", "*", "destination", "host"),
    ("tls", "*", "route", "*", "destination", "host"),
    ("tcp", "*", "route", "*", "destination", "host"),
)
_GATEWAYS: Final[tuple[tuple[str, ...], ...]] = (
    ("gateways", "*"),
    ("http", "*", "match", "*", "gateways", "*"),
    ("tls", "*", "match", "*", "gateways", "*"),
    ("tcp", "*", "match", "*", "gateways", "*"),
)
_VIRTUAL_SERVICES: Final[tuple[tuple[str, ...], ...]] = (("virtualService", "name"), ("virtualServices", "*", "name"))
_ROUTED: Final = ("strategy", "canary", "trafficRouting", "istio")
_CLUSTER_SCOPES: Final[tuple[tuple[str, ...], ...]] = (
    ("strategy", "canary", "analysis", "templates", "*"),
    ("strategy", "canary", "steps", "*", "analysis", "templates", "*"),
    ("strategy", "canary", "steps", "*", "experiment", "analyses", "*"),
    ("strategy", "blueGreen", "prePromotionAnalysis", "templates", "*"),
    ("strategy", "blueGreen", "postPromotionAnalysis", "templates", "*"),
)


class Settling:
    """Moves objects into one namespace: their own, and where they name each other by it."""

    def __init__(self, namespace: str, former: Iterable[str], notes: Notes) -> None:
        self._namespace = namespace
        self._former = sorted({one for one in former if one})
        self._notes = notes
        names = "|".join(map(re.escape, self._former)) or r"(?!)"
        self._address = re.compile(rf"^([a-z0-9-]+)\.(?:{names})((?:\.svc(?:\..*)?)?)$")

    def head(self, data: Object) -> Object:
        """``apiVersion``, ``kind`` and the metadata that people write, in the run's namespace."""
        metadata = mapping(data, "metadata")
        kept = {key: metadata[key] for key in ("name", "labels") if metadata.get(key)}
        if annotations := _worn(metadata.get("annotations")):
            kept["annotations"] = annotations
        return {
            "apiVersion": data["apiVersion"],
            "kind": data["kind"],
            "metadata": kept | {"namespace": self._namespace},
        }

    def host(self, value: Any) -> Any:
        """A Service's address with the run's namespace in place of the manifests'; any other text as it is."""
        return self._address.sub(rf"\1.{self._namespace}\2", value) if isinstance(value, str) else value

    def service(self, data: Object) -> Object:
        """A Service of the cluster alone: no load balancer, no node port, no address of its own."""
        spec = mapping(data, "spec")
        kept = {key: spec[key] for key in _SERVICE_FIELDS if key in spec}
        kept = replaced(kept, ("ports", "*"), _port)
        if spec.get("clusterIP") == "None":
            kept["clusterIP"] = "None"
        if text(spec, "type") not in {"", "ClusterIP"}:
            self._notes.add(f"Service/{text(data, 'metadata', 'name')}", f"ClusterIP in place of {text(spec, 'type')}")
        return self.head(data) | {"spec": kept}

    def virtual_service(self, data: Object) -> Object:
        """A VirtualService; gateways are named in full, for their names are relative to its own namespace."""
        spec, before = mapping(data, "spec"), text(data, "metadata", "namespace") or "default"
        for path in _DESTINATIONS:
            spec = replaced(spec, path, self.host)
        for path in _GATEWAYS:
            spec = replaced(spec, path, _in_full(before))
        return self.head(data) | {"spec": spec}

    def destination_rule(self, data: Object) -> Object:
        """A DestinationRule."""
        return self.head(data) | {"spec": replaced(mapping(data, "spec"), ("host",), self.host)}

    def rollout_routes(self, spec: Object) -> Object:
        """A Rollout's spec with its VirtualServices named in the run's namespace, and templates of this namespace only."""
        for path in _VIRTUAL_SERVICES:
            spec = replaced(spec, (*_ROUTED, *path), self._named)
        for path in _CLUSTER_SCOPES:
            spec = replaced(spec, path, _namespaced)
        return spec

    def template(self, data: Object) -> Object:
        """An AnalysisTemplate; one of the whole cluster becomes one of the namespace, since other runs share the cluster.

        Addresses of providers stay: whoever asks them looks their names up.
        """
        spec = replaced(mapping(data, "spec"), ("templates", "*"), _namespaced)
        if data["kind"] == "ClusterAnalysisTemplate":
            self._notes.add(
                f"{data['kind']}/{text(data, 'metadata', 'name')}", "an AnalysisTemplate of the run's namespace"
            )
        return self.head(data) | {"kind": "AnalysisTemplate", "spec": spec}

    def plain(self, data: Object) -> Object:
        """Any other object, moved."""
        rest = {key: value for key, value in data.items() if key not in {"metadata", "status"}}
        return rest | self.head(data)

    def _named(self, value: Any) -> Any:
        """``name.namespace`` of a VirtualService."""
        name, dot, namespace = value.partition(".") if isinstance(value, str) else ("", "", "")
        return f"{name}.{self._namespace}" if dot and namespace in self._former else value


def _worn(annotations: Any) -> dict[str, Any]:
    """Annotations without those that tools write, which may hold the whole object again."""
    found = annotations if isinstance(annotations, dict) else {}
    return {key: value for key, value in found.items() if not key.startswith(("kubectl.kubernetes.io/", "deployment."))}


def _port(port: Any) -> Any:
    return {key: port[key] for key in _PORT_FIELDS if key in port} if isinstance(port, dict) else port


def _in_full(namespace: str) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        return value if not isinstance(value, str) or value == "mesh" or "/" in value else f"{namespace}/{value}"

    return change


def _namespaced(reference: Any) -> Any:
    return (
        {key: value for key, value in reference.items() if key != "clusterScope"}
        if isinstance(reference, dict)
        else reference
    )
