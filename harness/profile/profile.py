"""A profile, read from a file and put under a scenario."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sim.model.behaviour import Delay, NodeLoss
from sim.model.scenario import Scenario

PACKAGED: Final = Path(__file__).parent / "profile.yaml"


@dataclass(frozen=True, slots=True)
class Profile:
    """The delays of one cluster; each means what the field of that name in a scenario's ``cluster`` means."""

    schedule: Delay
    """A pod created until its process starts: scheduling, sandbox and container; and how late readiness is reported."""
    image_pull: Delay
    endpoint_propagation: Delay
    route_propagation: Delay
    controller_latency_s: float
    source: str = ""
    """Where, when and with what it was measured."""


def profile(file: Path = PACKAGED) -> Profile:
    """The profile in a file; ValueError if it is none."""
    try:
        read = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except YAMLError as error:
        msg = f"{file} is no YAML: {error}"
        raise ValueError(msg) from None
    names = {one.name for one in fields(Profile)}
    if not isinstance(read, dict) or set(read) != names:
        msg = f"{file}: a profile has exactly {', '.join(sorted(names))}"
        raise ValueError(msg)
    return Profile(**{name: _value(file, name, read[name]) for name in names})


def _value(file: Path, name: str, written: Any) -> Any:
    if name == "source":
        return str(written)
    try:
        if name == "controller_latency_s":
            return float(written)
        return Delay(median_s=float(written["median_s"]), sigma=float(written["sigma"]))
    except (TypeError, KeyError, ValueError):
        msg = f"{file}: {name} must be {'seconds' if name.endswith('_s') else '{median_s: SECONDS, sigma: NUMBER}'}"
        raise ValueError(msg) from None


def profiled(scenario: Scenario, measured: Profile) -> Scenario:
    """The scenario on a cluster of one node with these delays, which has as much room as all of its nodes had.

    The harness scales requests by that room, so as many pods fit. With a fault that takes nodes away their number stays:
    the harness takes the pods that such a node would have.
    """
    before = scenario.cluster
    faults = (*scenario.faults, *(fault for one in (scenario.stable, *_behaviours(scenario)) for fault in one.faults))
    nodes = before.nodes if any(isinstance(fault.effect, NodeLoss) for fault in faults) else min(1, before.nodes)
    spread = before.nodes / nodes if nodes else 1.0
    cluster = replace(
        before,
        nodes=nodes,
        node_cpu=before.node_cpu * spread,
        node_memory=before.node_memory * spread,
        schedule=measured.schedule,
        image_pull=measured.image_pull,
        endpoint_propagation=measured.endpoint_propagation,
        route_propagation=measured.route_propagation,
        router_propagation=(),
        controller_latency_s=measured.controller_latency_s,
    )
    return replace(scenario, cluster=cluster)


def _behaviours(scenario: Scenario) -> Any:
    return (release.behaviour for release in (scenario.release, *scenario.mix))
