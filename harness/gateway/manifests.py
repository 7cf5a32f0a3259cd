"""The gateway's objects in the run's namespace."""

from __future__ import annotations

from typing import Any, Final

from harness.cluster.objects import Object
from harness.gateway.haproxy import ADMIN_PORT, CONFIGURE_PORT, PORT

NAME: Final = "rolltwin-gateway"
_LABELS: Final = {"rolltwin.dev/part": "gateway"}
_PORTS: Final = {"clients": PORT, "admin": ADMIN_PORT, "configure": CONFIGURE_PORT}


def objects_of(image: str) -> tuple[Object, ...]:
    """In order of application."""
    return _service(), _pod(image)


def _service() -> Object:
    ports = [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"} for name, port in _PORTS.items()]
    spec: dict[str, Any] = {"type": "NodePort", "selector": _LABELS, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": spec}


def _pod(image: str) -> Object:
    container = {
        "name": "haproxy",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in _PORTS.items()],
        "readinessProbe": {"tcpSocket": {"port": CONFIGURE_PORT}, "periodSeconds": 1},
        # What all requests of a run go through must not wait for a processor that pods under test use up.
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "labels": _LABELS},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False},
    }
