"""The objects of a Prometheus in the run's namespace: account, configuration, pod and Service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cluster.objects import Object
from harness.monitoring.configuration import Discovery, configuration
from sim.model.telemetry import PrometheusTelemetry

NAME = "prometheus"
DOOR, BEHIND, COMPANION = 9090, 9091, 9092
"""Ports: where queries come in, where Prometheus listens inside of its pod, and the companion's own."""
SCRAPE_PORT = 9901
"""Where the application exposes its metrics, whatever ports a version has."""
_INSIDE = Path(__file__).parent / "inside"
_NOBODY = 65534
_LABELS = {"app": NAME}


@dataclass(frozen=True, slots=True)
class Installation:
    """What kind of Prometheus a run wants."""

    telemetry: PrometheusTelemetry
    """With every label written out (``harness.monitoring.labels``)."""
    discovery: Discovery
    image: str
    python_image: str
    """Any image with a Python of 3.9 or later as ``python3``: the companion's."""
    scrape_port: int = SCRAPE_PORT
    ports: tuple[int, ...] = (DOOR,)
    """At which the Service answers."""


def objects_of(namespace: str, wanted: Installation) -> tuple[Object, ...]:
    """In order of application."""
    return (*_account(namespace), _configuration(wanted), _scripts(), _pod(wanted), _service(wanted))


def _account(namespace: str) -> tuple[Object, ...]:
    group = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": namespace}
    role = {"apiGroup": group, "kind": "Role", "name": NAME}
    return (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME}},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": NAME}, "rules": [rule]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": NAME},
            "subjects": [subject],
            "roleRef": role,
        },
    )


def _configuration(wanted: Installation) -> Object:
    text = json.dumps(configuration(wanted.telemetry, wanted.discovery, f"127.0.0.1:{COMPANION}"), indent=1)
    return _config_map(NAME, {"prometheus.yml": text})


def _scripts() -> Object:
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(_INSIDE.glob("*.py"))}
    return _config_map(f"{NAME}-companion", texts)


def _config_map(name: str, texts: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": texts}


def _pod(wanted: Installation) -> Object:
    volumes = [
        {"name": "configuration", "configMap": {"name": NAME}},
        {"name": "companion", "configMap": {"name": f"{NAME}-companion"}},
        {"name": "data", "emptyDir": {}},
    ]
    spec = {
        "serviceAccountName": NAME,
        # The companion stops and continues Prometheus, so it has to see its process and to be the same user.
        "shareProcessNamespace": True,
        "securityContext": {"runAsUser": _NOBODY, "runAsGroup": _NOBODY, "fsGroup": _NOBODY},
        "terminationGracePeriodSeconds": 1,
        "containers": [_prometheus(wanted), _companion(wanted)],
        "volumes": volumes,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME, "labels": _LABELS}, "spec": spec}


def _prometheus(wanted: Installation) -> dict[str, Any]:
    arguments = {
        "config.file": "/etc/rolltwin/prometheus.yml",
        "storage.tsdb.path": "/data",
        "web.listen-address": f"127.0.0.1:{BEHIND}",
    }
    return {
        "name": NAME,
        "image": wanted.image,
        "imagePullPolicy": "IfNotPresent",
        "args": [f"--{name}={value}" for name, value in arguments.items()],
        "volumeMounts": [
            {"name": "configuration", "mountPath": "/etc/rolltwin"},
            {"name": "data", "mountPath": "/data"},
        ],
    }


def _companion(wanted: Installation) -> dict[str, Any]:
    telemetry = wanted.telemetry
    settings = {
        "labels": [[label.name, list(label.sources)] for label in telemetry.labels],
        "scrape_port": wanted.scrape_port,
        # What has not answered before the page is due would make the whole page late.
        "patience_s": 0.8 * min(telemetry.scrape_interval_s, 10.0),
        "door_port": DOOR,
        "prometheus_port": BEHIND,
        "companion_port": COMPANION,
    }
    package = "harness.monitoring.inside"
    return {
        "name": "companion",
        "image": wanted.python_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-B", "-m", f"{package}.companion"],
        "env": [{"name": "PYTHONPATH", "value": "/opt/rolltwin"}, _variable("ROLLTWIN_COMPANION", settings)],
        "workingDir": "/opt/rolltwin",
        "volumeMounts": [{"name": "companion", "mountPath": f"/opt/rolltwin/{package.replace('.', '/')}"}],
    }


def _variable(name: str, value: object) -> dict[str, str]:
    return {"name": name, "value": json.dumps(value)}


def _service(wanted: Installation) -> Object:
    ports = [{"name": f"port-{port}", "port": port, "targetPort": DOOR, "protocol": "TCP"} for port in wanted.ports]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        # A node port, so that this machine reaches it without a forwarder where it reaches the node.
        "spec": {"type": "NodePort", "selector": _LABELS, "ports": ports},
    }
