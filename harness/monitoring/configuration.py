"""Prometheus' configuration: the pods of one namespace, under exactly the labels that the scenario gives them.

Debian's build knows no Kubernetes discovery, so pods are found through the companion's list (``http_sd_configs``), which
every build has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Final

from harness.monitoring.inside.page import FIRST, is_overruled
from sim.model.telemetry import LabelSource, PrometheusTelemetry

Rule = dict[str, Any]
SLOWEST_S: Final = 10.0
"""A scrape is given up after this, or after the interval where that is shorter."""
DISCOVERED_FROM_S: Final = 15.0
"""Shortest interval at which Prometheus scrapes the pods one by one."""


class Discovery(StrEnum):
    """How Prometheus comes to know of a pod."""

    PODS = "pods"
    """It is told of each pod and scrapes it. A new pod is scraped 5 to 10 s after it has an address."""
    PAGE = "page"
    """It scrapes one page on which the companion puts every pod's samples, a new pod's from the next scrape on."""

    @classmethod
    def for_interval(cls, interval_s: float) -> Discovery:
        """Prometheus' own delay of 5 to 10 s is no part of the model: it must be short beside the scrape interval."""
        return cls.PODS if interval_s >= DISCOVERED_FROM_S else cls.PAGE


def duration(seconds: float) -> str:
    """A duration as Prometheus reads it: whole milliseconds, at least one."""
    return f"{max(round(seconds * 1000), 1)}ms"


def configuration(telemetry: PrometheusTelemetry, discovery: Discovery, companion: str) -> Rule:
    """The whole file. ``companion`` is the companion's address (``HOST:PORT``) as Prometheus reaches it."""
    interval_s = telemetry.scrape_interval_s
    intervals = {"scrape_interval": duration(interval_s), "scrape_timeout": duration(min(interval_s, SLOWEST_S))}
    job = _page(companion) if discovery is Discovery.PAGE else _pods(telemetry.labels, companion)
    return {"global": intervals, "scrape_configs": [job]}


def _page(companion: str) -> Rule:
    targets = [{"targets": [companion]}]
    job = {"job_name": "rolltwin-page", "honor_labels": True, "static_configs": targets}
    return job | {"metric_relabel_configs": [_drop("job")]}


def _pods(labels: Iterable[LabelSource], companion: str) -> Rule:
    targets = [{"url": f"http://{companion}/targets", "refresh_interval": "1s"}]
    job = {"job_name": "rolltwin-pods", "honor_labels": True, "http_sd_configs": targets}
    rules = [rule for label in labels if is_overruled(label.sources) for rule in _overrule(label.name)]
    return job | {"metric_relabel_configs": [*rules, _drop("job")]}


def _overrule(name: str) -> Iterator[Rule]:
    """Puts the target's value over the application's."""
    first = f"{FIRST}{name}"
    yield {"source_labels": [first], "regex": "(.+)", "target_label": name, "replacement": "${1}"}
    yield _drop(first)


def _drop(label: str) -> Rule:
    return {"action": "labeldrop", "regex": label}
