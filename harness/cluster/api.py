"""The objects of one namespace, over one connection."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from types import TracebackType
from typing import Any, Self

from harness.cluster.connection import NOT_FOUND, ApiError, Connection
from harness.cluster.kinds import Resource
from harness.cluster.objects import Object
from harness.cluster.watch import Watch, complete

MANAGER = "rolltwin"
"""The owner of the fields we apply."""
_PORTS = {"port", "containerPort"}
_CORE = ("v1", "apps/v1", "batch/v1")
_OF_THE_SERVER = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink")


class ClusterObjects:
    """``harness.cluster.objects.Objects`` on a real API server."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.namespace = namespace
        self._connection = connection
        self._watches: dict[str, Watch] = {}
        self._lock = Lock()

    def get(self, kind: str, name: str) -> Object | None:
        """The object, or None."""
        try:
            return self._connection.json("GET", self._path(kind, name))
        except ApiError as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def list(self, kind: str, labels: Mapping[str, str] | None = None) -> list[Object]:
        """Every object of the kind, with these labels."""
        query = {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items())} if labels else {}
        resource = self._connection.resource(kind)
        listed = self._connection.json("GET", resource.path(self.namespace), **query)
        return [complete(item, resource) for item in listed.get("items") or ()]

    def apply(self, obj: Object) -> Object:
        """Creates the object or makes it so. Fields that others own become ours: a run's objects are the run's."""
        resource, body = self._resource(obj), _ours(obj)
        return self._connection.json(
            "PATCH",
            resource.path(self.namespace, body["metadata"]["name"]),
            self._placed(body, resource),
            media="application/apply-patch+yaml",
            fieldManager=MANAGER,
            force="true",
        )

    def create(self, obj: Object) -> Object:
        """Creates the object; ApiError (AlreadyExists) if it exists."""
        resource = self._resource(obj)
        placed = self._placed(_ours(obj), resource)
        return self._connection.json("POST", resource.path(self.namespace), placed, fieldManager=MANAGER)

    def patch(self, kind: str, name: str, patch: Object, *, subresource: str = "") -> Object:
        """JSON merge patch."""
        path = self._connection.resource(kind).path(self.namespace, name, subresource)
        return self._connection.json("PATCH", path, patch, media="application/merge-patch+json", fieldManager=MANAGER)

    def delete(self, kind: str, name: str, *, grace_s: int | None = None) -> None:
        """Deletes the object and what it owns, in the background."""
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        try:
            self._connection.ask("DELETE", self._path(kind, name), options)
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise

    def watch(self, kind: str) -> Watch:
        """The live picture of a kind, started on first use and shared."""
        resource = self._connection.resource(kind)
        key = f"{resource.api_version}/{resource.kind}"
        with self._lock:
            if key not in self._watches:
                self._watches[key] = Watch(self._connection, resource, self.namespace)
            return self._watches[key]

    def proxied(self, method: str, pod: str, port: int, path: str, body: object = None) -> bytes:
        """What a pod answers over HTTP, asked through the API server: no Service, no forwarded port."""
        root = self._path("Pod", f"{pod}:{port}", "proxy").replace("%3A", ":")
        return self._connection.ask(method, f"{root}/{path.lstrip('/')}", body)

    def close(self) -> None:
        """Ends every watch; the connection is the cluster's."""
        with self._lock:
            watches, self._watches = self._watches, {}
        for watch in watches.values():
            watch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _path(self, kind: str, name: str, subresource: str = "") -> str:
        return self._connection.resource(kind).path(self.namespace, name, subresource)

    def _resource(self, obj: Object) -> Resource:
        return self._connection.resource(f"{obj['apiVersion']}/{obj['kind']}")

    def _placed(self, body: Object, resource: Resource) -> Object:
        metadata = {key: value for key, value in body["metadata"].items() if key != "namespace"}
        return {**body, "metadata": {**metadata, "namespace": self.namespace} if resource.namespaced else metadata}


def _ours(obj: Object) -> Object:
    """The object without what only the server may say: what was read can be applied again."""
    kept = {key: value for key, value in obj["metadata"].items() if key not in _OF_THE_SERVER}
    return {**(_with_protocols(obj) if obj["apiVersion"] in _CORE else obj), "metadata": kept}


def _with_protocols(value: Any, key: str = "") -> Any:
    """The same with ``protocol: TCP`` where a port says none: servers before 1.21 refuse to apply such ports."""
    if isinstance(value, dict):
        return {name: _with_protocols(item, name) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    if key == "ports" and all(isinstance(item, dict) and _PORTS & item.keys() for item in value):
        return [{"protocol": "TCP", **item} for item in value]
    return [_with_protocols(item) for item in value]
