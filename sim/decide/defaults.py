"""Values Argo Rollouts uses where a Rollout does not say (behaviour reference 6.1 and 11.4)."""

from __future__ import annotations

from sim.model.rollout import RolloutSpec
from sim.model.units import IntOrPercent

MAX_WEIGHT = 100
REVISION_HISTORY = 10
RUN_HISTORY = 5
"""Of the successful runs, and of the others."""
SCALE_DOWN_DELAY_S = 30.0
ABORT_SCALE_DOWN_DELAY_S = 30.0
PROGRESS_DEADLINE_S = 600.0
VERIFY_RETRY_S = 10.0
RESYNC_S = 900.0
"""All objects are looked at again this often; the controller keeps no timer for what comes later."""
FENCEPOST = IntOrPercent(25, percent=True)
"""Default of maxSurge and of maxUnavailable (``utils/defaults/defaults.go:20-21``)."""
JUST_AFTER_S = 1e-3
"""A timer that must have *strictly* passed is looked at this much later: a real queue never fires at the very instant."""


def max_weight(spec: RolloutSpec) -> int:
    """Weight that means all traffic: 100 unless ``maxTrafficWeight`` says otherwise."""
    routing = spec.canary.traffic_routing if spec.canary else None
    return routing.max_weight if routing is not None and routing.max_weight is not None else MAX_WEIGHT


def is_routed(spec: RolloutSpec) -> bool:
    """Whether pods are counted as with a traffic router: ``trafficRouting`` is written, even if it names none."""
    return spec.canary is not None and spec.canary.traffic_routing is not None


def has_router(spec: RolloutSpec) -> bool:
    """Whether a traffic router splits the traffic; without one the split is the pod ratio (``trafficrouting.go:115-158``)."""
    return (
        spec.canary is not None and spec.canary.traffic_routing is not None and bool(spec.canary.traffic_routing.kinds)
    )


def is_dynamic(spec: RolloutSpec) -> bool:
    """Whether the stable ReplicaSet shrinks as the canary grows."""
    return spec.canary is not None and spec.canary.dynamic_stable_scale


def scale_down_delay_s(spec: RolloutSpec) -> float:
    """Seconds an old ReplicaSet is kept after promotion; 0 for a canary without traffic routing."""
    if spec.blue_green is not None:
        written = spec.blue_green.scale_down_delay_s
    elif spec.canary is not None and is_routed(spec):
        written = spec.canary.scale_down_delay_s
    else:
        return 0.0
    return SCALE_DOWN_DELAY_S if written is None else float(written)


def scale_down_revision_limit(spec: RolloutSpec) -> int | None:
    """How many old ReplicaSets may wait for their deadline; None is no limit."""
    strategy = spec.blue_green or spec.canary
    return strategy.scale_down_delay_revision_limit if strategy else None


def abort_scale_down_delay_s(spec: RolloutSpec) -> float | None:
    """Seconds the aborted ReplicaSet is kept; None keeps it for ever (``abortScaleDownDelaySeconds: 0``)."""
    if spec.blue_green is None and not is_routed(spec):
        return 0.0
    written = _written_abort_delay(spec)
    if written is None:
        return ABORT_SCALE_DOWN_DELAY_S
    return float(written) if written else None


def has_explicit_abort_delay(spec: RolloutSpec) -> bool:
    """Whether a delay above zero is written: dynamicStableScale then keeps the canary at size until its deadline."""
    return (spec.blue_green is not None or is_routed(spec)) and bool(_written_abort_delay(spec))


def _written_abort_delay(spec: RolloutSpec) -> int | None:
    strategy = spec.blue_green or spec.canary
    return strategy.abort_scale_down_delay_s if strategy else None


def revision_history_limit(spec: RolloutSpec) -> int:
    """How many old ReplicaSets are kept."""
    return REVISION_HISTORY if spec.revision_history_limit is None else spec.revision_history_limit


def run_history_limits(spec: RolloutSpec) -> tuple[int, int]:
    """How many old runs are kept: (successful, other completed ones)."""
    good, bad = spec.successful_run_history_limit, spec.unsuccessful_run_history_limit
    return (RUN_HISTORY if good is None else good, RUN_HISTORY if bad is None else bad)


def progress_deadline_s(spec: RolloutSpec) -> float:
    """Seconds without progress after which a rollout is degraded."""
    return PROGRESS_DEADLINE_S if spec.progress_deadline_s is None else float(spec.progress_deadline_s)
