"""What Kubernetes' own validation refuses of selectors and pod templates, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.manifests.build.templates import selector_problems, template_problems

CONTAINER = {"name": "api", "image": "api:1"}
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
INIT = "spec.template.spec.initContainers[0]"
C0 = "spec.template.spec.containers[0]"


def container(**more: Any) -> dict[str, Any]:
    return {"spec": {"containers": [CONTAINER | more]}}


@pytest.mark.parametrize(
    ("template", "messages"),
    [
        pytest.param(container(), [], id="least"),
        pytest.param({}, ["spec.template.spec.containers: Required value"], id="nothing"),
        pytest.param(
            {"spec": {"containers": [{}]}}, [f"{C0}.name: Required value", f"{C0}.image: Required value"], id="empty"
        ),
        pytest.param(container(name="A_b"), [f'{C0}.name: Invalid value: "A_b": {LABEL}'], id="name"),
        pytest.param(
            {"spec": {"containers": [CONTAINER, CONTAINER]}},
            ['spec.template.spec.containers[1].name: Duplicate value: "api"'],
            id="name twice",
        ),
        pytest.param(container(ports=[{}]), [f"{C0}.ports[0].containerPort: Required value"], id="no port"),
        pytest.param(
            container(ports=[{"containerPort": 70000, "protocol": "tcp"}]),
            [
                f"{C0}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
                f'{C0}.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
            ],
            id="port",
        ),
        pytest.param(
            container(ports=[{"containerPort": 80, "name": "-8--0"}]),
            [
                f'{C0}.ports[0].name: Invalid value: "-8--0": must contain at least one letter (a-z)',
                f'{C0}.ports[0].name: Invalid value: "-8--0": must not contain consecutive hyphens',
                f'{C0}.ports[0].name: Invalid value: "-8--0": must not begin or end with a hyphen',
            ],
            id="port name",
        ),
        pytest.param(
            container(readinessProbe={}),
            [f"{C0}.readinessProbe: Required value: must specify a handler type"],
            id="no handler",
        ),
        pytest.param(
            container(livenessProbe={"tcpSocket": {"port": 80}, "httpGet": {"port": 80}, "successThreshold": 2}),
            [
                f"{C0}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
                f"{C0}.livenessProbe.successThreshold: Invalid value: 2: must be 1",
            ],
            id="two handlers",
        ),
        pytest.param(
            container(lifecycle={"preStop": {"exec": {}}}),
            [f"{C0}.lifecycle.preStop.exec.command: Required value"],
            id="hook without a command",
        ),
        pytest.param(
            container(resources={"limits": {"cpu": "1"}, "requests": {"cpu": 2}}),
            [f'{C0}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
            id="request above limit",
        ),
        pytest.param(
            container(volumeMounts=[{"name": "data", "mountPath": "/data"}]),
            [f'{C0}.volumeMounts[0].name: Not found: "data"'],
            id="no such volume",
        ),
        pytest.param(
            container(env=[{"name": "A", "value": "1", "valueFrom": {"fieldRef": {}}}]),
            [f'{C0}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
            id="two values",
        ),
        pytest.param(
            container(imagePullPolicy="Sometimes"),
            [
                f'{C0}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"'
            ],
            id="pull policy",
        ),
        pytest.param(
            {"spec": {"containers": [CONTAINER], "restartPolicy": "Never"}},
            ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
            id="restart policy",
        ),
        pytest.param(
            {"spec": {"containers": [CONTAINER], "initContainers": [CONTAINER | {"livenessProbe": {}}]}},
            [
                f'{INIT}.name: Duplicate value: "api"',
                f"{INIT}.livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
            ],
            id="init container",
        ),
    ],
)
def test_templates(template: dict[str, Any], messages: list[str]) -> None:
    assert [problem.message for problem in template_problems(template)] == messages


@pytest.mark.parametrize(
    ("selector", "part"),
    [
        pytest.param({"matchLabels": {"app": "api"}}, "", id="labels"),
        pytest.param({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, "", id="expression"),
        pytest.param({}, "spec.selector: Invalid value: {}: empty selector is invalid for deployment", id="empty"),
        pytest.param({"matchLabels": {"app": None}}, "empty selector", id="null"),
        pytest.param(
            {"matchLabels": {"app": "a b"}}, "a valid label must be an empty string or consist of", id="value"
        ),
        pytest.param({"matchLabels": {"a b": "c"}}, "name part must consist of", id="key"),
        pytest.param({"matchLabels": {"app": "x" * 64}}, "must be no more than 63 characters", id="long"),
        pytest.param(
            {"matchExpressions": [{"key": "a", "operator": "In"}]}, "Required value: must be specified", id="in nothing"
        ),
        pytest.param(
            {"matchExpressions": [{"key": "a", "operator": "is"}]}, "not a valid selector operator", id="operator"
        ),
    ],
)
def test_selectors(selector: dict[str, Any], part: str) -> None:
    problems = [problem.message for problem in selector_problems(selector)]
    assert len(problems) == bool(part)
    assert all(part in message for message in problems)
