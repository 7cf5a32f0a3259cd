"""Pod templates, probes and the workloads that own pods, as far as the twin reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sim.model.units import IntOrPercent

Labels = tuple[tuple[str, str], ...]
"""Sorted (key, value) pairs: labels, annotations and selectors, hashable."""


def labels_of(mapping: dict[str, str] | None) -> Labels:
    """Sorted pairs of a mapping; empty for None."""
    return tuple(sorted((mapping or {}).items()))


def selects(selector: Labels, labels: Labels) -> bool:
    """Whether an equality selector matches; an empty selector matches nothing, as a Service without one."""
    return bool(selector) and set(selector) <= set(labels)


@dataclass(frozen=True, slots=True)
class Probe:
    """A container probe; defaults are Kubernetes' own (initial 0 s, period 10 s, timeout 1 s, 1 success, 3 failures)."""

    initial_delay_s: float = 0.0
    period_s: float = 10.0
    timeout_s: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """What the twin reads of ``spec.template``; ``hash`` identifies the revision."""

    labels: Labels = ()
    annotations: Labels = ()
    container: str = ""
    """Name of the first container."""
    image: str = ""
    cpu_request: float = 0.0
    """Cores."""
    memory_request: float = 0.0
    """Bytes."""
    memory_limit: float | None = None
    readiness: Probe | None = None
    liveness: Probe | None = None
    startup: Probe | None = None
    termination_grace_s: float = 30.0
    pre_stop_s: float = 0.0
    """Length of a ``preStop`` sleep; 0 where there is none or it is not a sleep."""
    env: Labels = ()


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What Kubernetes' own validation refuses: the field, and why (``Required value``, ``Invalid value: ...``)."""

    path: tuple[str | int, ...]
    message: str


class AntiAffinity(StrEnum):
    """How new pods keep away from the other revision's nodes."""

    NONE = "none"
    """No rule."""
    PREFERRED = "preferred"
    """Other nodes first, the same node if there is no other."""
    REQUIRED = "required"
    """Never on a node with a pod of the other revision: Pending if there is none."""


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """A plain Deployment with the RollingUpdate (or Recreate) strategy."""

    name: str
    namespace: str = "default"
    replicas: int = 1
    selector: Labels = ()
    template: PodTemplate = field(default_factory=PodTemplate)
    min_ready_s: float = 0.0
    progress_deadline_s: float = 600.0
    max_surge: IntOrPercent = IntOrPercent(25, percent=True)
    max_unavailable: IntOrPercent = IntOrPercent(25, percent=True)
    recreate: bool = False
    labels: Labels = ()
    problems: tuple[FieldProblem, ...] = ()
    """What the API server refuses of ``template`` in fields the twin does not read."""
