"""When a starting container becomes ready or is killed: the kubelet's probes on their grid, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from sim.model.pods import PodTemplate, Probe


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the probes will do with one container start; None is never. Times on the clock, seconds."""

    ready_s: float | None
    killed_s: float | None
    reason: str = ""
    """Which probe kills."""


def outlook(template: PodTemplate, bound_s: float, started_s: float, up_s: float) -> Outlook:
    """The instants at which a container that can answer from ``up_s`` on is ready, or is killed before.

    The kubelet gives each probe a worker that ticks every ``period`` from the moment it learns of the pod
    (``bound_s``), image pull included, and skips ticks earlier than ``initialDelay`` after the container start; liveness
    and readiness wait for the startup probe, whose success triggers a readiness attempt at once
    (kubernetes pkg/kubelet/prober/worker.go). A failing attempt is counted at its tick: the time-out is not added.
    Without a readiness probe a container is ready as soon as it runs.
    """
    startup = template.startup
    begun_s = started_s
    if startup is not None:
        killed_s = _nth_failure_s(startup, bound_s, started_s, up_s)
        if killed_s is not None:
            return Outlook(None, killed_s, "startup probe")
        begun_s = _tick_s(startup, bound_s, max(started_s + startup.initial_delay_s, up_s))
    ready_s = _ready_s(template, bound_s, started_s, max(begun_s, up_s), begun_s)
    # A startup probe that succeeded means the application is up: liveness has nothing left to kill.
    if template.liveness is None or startup is not None:
        return Outlook(ready_s, None)
    killed_s = _nth_failure_s(template.liveness, bound_s, started_s, up_s)
    if killed_s is None:
        return Outlook(ready_s, None)
    return Outlook(ready_s if ready_s < killed_s else None, killed_s, "liveness probe")


def _ready_s(template: PodTemplate, bound_s: float, started_s: float, up_s: float, begun_s: float) -> float:
    probe = template.readiness
    if probe is None:
        return begun_s
    earliest_s = max(started_s + probe.initial_delay_s, up_s)
    if template.startup is not None and earliest_s <= begun_s:
        return begun_s + _after_first_s(probe, bound_s, begun_s)
    first_s = _tick_s(probe, bound_s, earliest_s)
    return first_s + (probe.success_threshold - 1) * probe.period_s


def _after_first_s(probe: Probe, bound_s: float, first_s: float) -> float:
    """Seconds from a triggered attempt until enough successes: the next ones come on the grid."""
    if probe.success_threshold <= 1:
        return 0.0
    second_s = _tick_s(probe, bound_s, first_s)
    second_s += probe.period_s if second_s <= first_s else 0.0
    return second_s - first_s + (probe.success_threshold - 2) * probe.period_s


def _tick_s(probe: Probe, bound_s: float, earliest_s: float) -> float:
    """First tick of the probe's worker not before ``earliest_s``; a hair early counts as on time."""
    return bound_s + max(0, ceil((earliest_s - bound_s) / probe.period_s - 1e-9)) * probe.period_s


def _nth_failure_s(probe: Probe, bound_s: float, started_s: float, up_s: float) -> float | None:
    """The tick at which ``failureThreshold`` attempts in a row have failed before ``up_s``, or None."""
    first_s = _tick_s(probe, bound_s, started_s + probe.initial_delay_s)
    last_s = first_s + (probe.failure_threshold - 1) * probe.period_s
    return last_s if last_s < up_s else None
