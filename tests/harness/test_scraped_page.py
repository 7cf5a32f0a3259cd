"""Labels of scraped samples: the ones the twin's series carry, whichever way Prometheus finds the pods."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.monitoring.inside.companion import Gathering, asks_directly, is_wanted
from harness.monitoring.inside.page import Labelling, Target, merged, target_labels, value_of
from harness.monitoring.inside.pods import apply

SOURCES = [
    ["instance", ["pod-name"]],
    ["pod", ["pod-name"]],
    ["status", ["status"]],
    ["version", ["pod-label:tags.datadoghq.com/version", "env:DD_VERSION"]],
    ["colour", ["env:COLOUR", "pod-annotation:colour"]],
]


def pod(name: str = "api-1", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "labels": {"app": "api", "rollouts-pod-template-hash": "7d9f"},
            "annotations": {"rolltwin.dev/scrape": "true", "colour": "blue"},
            **metadata,
        },
        "spec": {"containers": [{"name": "main"}]},
        "status": {"podIP": "10.244.0.7", "phase": "Running"},
    }


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("pod-name", "api-1"),
        ("namespace", "shop"),
        ("container", "main"),
        ("pod-label:app", "api"),
        ("pod-label:absent", ""),
        ("pod-annotation:colour", "blue"),
        ("pod-template-hash", "7d9f"),
    ],
)
def test_what_a_source_yields_for_a_pod(source: str, value: str) -> None:
    assert value_of(source, pod()) == value


def test_the_first_source_that_yields_something_wins() -> None:
    values = {"pod-name": "p", "pod-label:tags.datadoghq.com/version": "2", "pod-annotation:colour": "blue"}
    own = {"status": "200", "version": "1", "colour": "green", "le": "0.5"}
    labels = {"status": "200", "version": "2", "colour": "green", "le": "0.5", "instance": "p", "pod": "p"}
    assert merged(SOURCES, values, own) == labels  # type: ignore[arg-type]  # lists, as JSON has them
    assert merged(SOURCES, {"pod-name": "p"}, {"version": "1"})["version"] == "1"  # type: ignore[arg-type]


def test_prometheus_is_told_which_labels_overrule_the_applications() -> None:
    values = {"pod-name": "p", "pod-label:tags.datadoghq.com/version": "2", "pod-annotation:colour": "blue"}
    told = {"instance": "p", "pod": "p", "rolltwin_first_version": "2", "colour": "blue"}
    assert target_labels(SOURCES, values) == told  # type: ignore[arg-type]


def test_samples_get_the_labels_of_their_target() -> None:
    labelling = Labelling([("pod", ["pod-name"])])
    target = Target("api-1", "10.244.0.7:9901", "/metrics", {"pod-name": 'a"b'})
    text = '# HELP x y\n# TYPE x counter\nx_total{status="200",path="a,b}"} 3\nx_sum 0.25\n\n'
    assert list(labelling.samples(target, text)) == [
        'x_total{status="200",path="a,b}",pod="a\\"b"} 3',
        'x_sum{pod="a\\"b"} 0.25',
    ]


def test_pods_are_scraped_that_ask_for_it_and_have_an_address() -> None:
    assert is_wanted(pod())
    assert not is_wanted(pod(annotations={}))
    assert not is_wanted(pod(annotations=None))
    assert not is_wanted(pod() | {"status": {"phase": "Pending"}})
    assert not is_wanted(pod() | {"status": {"phase": "Failed", "podIP": "10.244.0.7"}})


def test_targets_for_prometheus_own_discovery() -> None:
    gathering = Gathering([("pod", ["pod-name"])], lambda _: ("10.244.0.7:9901", "/metrics"), lambda _: None)
    assert json.loads(gathering.targets([pod(), pod("idle", annotations={})])) == [
        {"targets": ["10.244.0.7:9901"], "labels": {"__metrics_path__": "/metrics", "pod": "api-1"}}
    ]


def test_a_pod_that_does_not_answer_is_down() -> None:
    gathering = Gathering([("pod", ["pod-name"])], lambda _: ("127.0.0.1:1", "/metrics"), asks_directly(0.1))
    assert gathering.page([pod()]) == 'up{pod="api-1"} 0\n'


def test_the_watch_keeps_the_pods() -> None:
    pods: dict[str, Any] = {}
    apply(pods, {"type": "ADDED", "object": pod()})
    apply(pods, {"type": "MODIFIED", "object": pod(labels={"app": "other"})})
    assert pods["api-1"]["metadata"]["labels"] == {"app": "other"}
    apply(pods, {"type": "DELETED", "object": pod()})
    assert pods == {}
