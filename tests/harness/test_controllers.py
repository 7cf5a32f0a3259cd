"""The Argo Rollouts controller: found where there is one, otherwise installed in the run's namespace."""

from __future__ import annotations

from typing import Any

import pytest

from harness.controllers.argo import chosen, is_controller
from harness.controllers.argo_manifests import Wanted, objects_of


def deployment(image: str, namespace: str = "argo-rollouts", *args: str) -> dict[str, Any]:
    container = {"name": "c", "image": image, "args": list(args)}
    return {
        "metadata": {"name": "d", "namespace": namespace},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


@pytest.mark.parametrize(
    ("image", "is_one"),
    [
        ("quay.io/argoproj/argo-rollouts:v1.8.3", True),
        ("localhost:5000/argo-rollouts@sha256:0", True),
        ("argo-rollouts", True),
        ("quay.io/argoproj/kubectl-argo-rollouts:v1.8.3", False),
        ("quay.io/argoproj/argocd:v2.10", False),
    ],
)
def test_the_image_is_known_by_its_last_part(image: str, *, is_one: bool) -> None:
    assert is_controller(image) is is_one


def test_the_users_own_controller_is_used_where_it_watches_the_namespace() -> None:
    image = "quay.io/argoproj/argo-rollouts:v1.8.3"
    found = chosen([deployment("nginx"), deployment(image)], "run-1")
    assert found is not None
    assert (found.namespace, found.own) == ("argo-rollouts", False)
    assert chosen([deployment(image, "other", "--namespaced")], "run-1") is None
    assert chosen([deployment(image, "other", "--namespaced", "--namespace=run-1")], "run-1") is not None
    assert chosen([deployment(image, "run-1", "--namespaced")], "run-1") is not None


def test_an_installation_knows_the_names_that_the_templates_use() -> None:
    wanted = Wanted("local/argo-rollouts:v1.8.3", {"prometheus": "10.96.0.7", "prom.monitoring": "10.96.0.7"})
    *_, made = objects_of("run-1", wanted)
    pod = made["spec"]["template"]["spec"]
    assert pod["hostAliases"] == [{"ip": "10.96.0.7", "hostnames": ["prom.monitoring", "prometheus"]}]
    assert "--namespace=run-1" in pod["containers"][0]["args"]
    assert pod["containers"][0]["env"] == []
