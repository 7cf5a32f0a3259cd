"""The step list: which step is current, which weight it means, how a step reads."""

from __future__ import annotations

from sim.decide.defaults import max_weight
from sim.model.controller import NEWEST, Controller
from sim.model.hashing import digest
from sim.model.memory import remembers_last
from sim.model.rollout import CanaryStep, Experiment, Observed, RolloutSpec, RolloutStatus


def steps_of(spec: RolloutSpec) -> tuple[CanaryStep, ...]:
    """The canary's steps; none for another strategy."""
    return spec.canary.steps if spec.canary else ()


def current_index(spec: RolloutSpec, status: RolloutStatus) -> int | None:
    """Index of the current step, ``len(steps)`` past the end; None when there are no steps."""
    if not steps_of(spec):
        return None
    return status.current_step_index or 0


def current_step(spec: RolloutSpec, status: RolloutStatus) -> CanaryStep | None:
    """The current step; None past the end or without steps (``utils/replicaset/canary.go:506``)."""
    index, steps = current_index(spec, status), steps_of(spec)
    return steps[index] if index is not None and index < len(steps) else None


def steps_so_far(spec: RolloutSpec, status: RolloutStatus) -> tuple[CanaryStep, ...]:
    """The current step and those before it, latest first; empty past the end."""
    if current_step(spec, status) is None:
        return ()
    return steps_of(spec)[: (status.current_step_index or 0) + 1][::-1]


def current_weight(spec: RolloutSpec, status: RolloutStatus) -> int:
    """Weight the current step asks for.

    The last setWeight at or before the index, 0 if there is none yet, the maximum past the end, 0 when aborted
    (behaviour reference 5.3).
    """
    if status.abort:
        return 0
    if current_step(spec, status) is None:
        return max_weight(spec)
    return next((s.set_weight for s in steps_so_far(spec, status) if s.set_weight is not None), 0)


def weight_before(spec: RolloutSpec, index: int) -> int:
    """Weight of the last setWeight strictly before ``index``; 0 if there is none."""
    return next((s.set_weight for s in steps_of(spec)[:index][::-1] if s.set_weight is not None), 0)


def current_experiment(spec: RolloutSpec, status: RolloutStatus) -> Experiment | None:
    """The last experiment step at or before the index; None past the end."""
    return next((s.experiment for s in steps_so_far(spec, status) if s.experiment is not None), None)


def before_starting_step(spec: RolloutSpec, status: RolloutStatus) -> bool:
    """Whether background analysis has still to wait for its ``startingStep``."""
    analysis = spec.canary.analysis if spec.canary else None
    index = current_index(spec, status)
    if analysis is None or analysis.starting_step is None or index is None:
        return False
    return index < analysis.starting_step


def is_indefinite(spec: RolloutSpec, status: RolloutStatus, controller: Controller = NEWEST) -> bool:
    """Whether the progress deadline is suspended: at a pause, analysis or experiment, and (since 1.8) while Paused is true."""
    step = current_step(spec, status)
    if step is not None and (step.pause or step.analysis or step.experiment):
        return True
    return controller.is_since(Controller.ARGO_1_8) and any(c.type == "Paused" and c.status for c in status.conditions)


@remembers_last
def _digest(steps: tuple[CanaryStep, ...]) -> str:
    return digest(steps)


def step_hash(spec: RolloutSpec) -> str:
    """Identity of the step list; '' for a strategy without steps. A change of it starts the rollout anew."""
    return _digest(spec.canary.steps) if spec.canary and spec.blue_green is None else ""


def template_changed(seen: Observed) -> bool:
    """Whether the pod template is another than the one last reconciled (never on the first reconcile)."""
    new_hash = seen.new_rs.hash if seen.new_rs else seen.template_hash
    return bool(seen.status.current_pod_hash) and seen.status.current_pod_hash != new_hash


def template_or_steps_changed(spec: RolloutSpec, seen: Observed) -> bool:
    """Whether the rollout starts anew: another template, or another step list (``utils/replicaset/replicaset.go:463``)."""
    return seen.status.current_step_hash != step_hash(spec) or template_changed(seen)


def is_fully_promoted(status: RolloutStatus) -> bool:
    """Whether the current template is the stable one; also true before anything was deployed."""
    return status.stable_rs == status.current_pod_hash


def plan_text(step: CanaryStep) -> str:
    """A step as people name it: ``setWeight 5``, ``pause 2m``, ``setCanaryScale replicas 3``."""
    named = {
        "setWeight": step.set_weight,
        "pause": step.pause and (step.pause.duration if step.pause.duration is not None else ""),
        "experiment": "" if step.experiment else None,
        "analysis": "" if step.analysis else None,
        "setCanaryScale": _scale_text(step),
        "plugin": step.plugin,
        "setHeaderRoute": step.set_header_route and step.set_header_route.name,
        "setMirrorRoute": step.set_mirror_route and step.set_mirror_route.name,
    }
    texts = (f"{kind} {value}".rstrip() for kind, value in named.items() if value is not None)
    return next(texts, "invalid step")


def _scale_text(step: CanaryStep) -> str | None:
    scale = step.set_canary_scale
    if scale is None:
        return None
    if scale.weight is not None:
        return f"weight {scale.weight}"
    return "matchTrafficWeight" if scale.match_traffic_weight else f"replicas {scale.replicas}"
