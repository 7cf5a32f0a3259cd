"""RT901 says that an abort never ends exactly where, replayed, it does not."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.rules.aborts import stuck_abort
from sim.decide import operations
from sim.model.controller import Controller
from sim.model.rollout import CanaryScale, CanaryStep, RolloutSpec
from tests.decide.builders import pause, release, routed, running, weight

DAY_S = 86_400
WEIGHTS = (1, 10, 25, 50, 75, 100)
SCALES = (CanaryScale(replicas=1), CanaryScale(replicas=5), CanaryScale(weight=10), CanaryScale(weight=60))


@st.composite
def plans(draw: st.DrawFn) -> tuple[RolloutSpec, int]:
    """A Rollout that pauses after each weight, and how many weights there are."""
    chosen = sorted(draw(st.sets(st.sampled_from(WEIGHTS), min_size=1, max_size=3)))
    scale = draw(st.sampled_from((None, None, *SCALES)))
    steps = [CanaryStep(set_canary_scale=scale)] if scale is not None else []
    for share in chosen:
        steps += [weight(share), pause()]
    spec = routed(
        *steps,
        replicas=draw(st.sampled_from([1, 2, 4, 7, 10])),
        dynamic_stable_scale=True,
        min_pods_per_replica_set=draw(st.sampled_from([None, 1, 2, 3])),
        abort_scale_down_delay_s=draw(st.sampled_from([None, 0, 60])),
    )
    return spec, len(chosen)


def ends(spec: RolloutSpec, step: int, controller: Controller) -> bool:
    """Whether an abort at this pause has given all traffic back within a day."""
    world = running(spec, controller)
    release(world)
    for _ in range(step):
        world.status = operations.promote(world.spec, world.status)
        world.settle()
    if world.status.stable_rs == "v2":
        return True
    world.status = operations.abort(world.status)
    world.settle(world.now_s + DAY_S)
    written = world.weights()
    return not written or written[-1][1] == 0


@settings(max_examples=40, deadline=None)
@given(plans(), st.sampled_from([Controller.ARGO_1_8, Controller.ARGO_1_9, Controller.ARGO_1_10]))
def test_an_abort_is_said_never_to_end_where_it_does_not(plan: tuple[RolloutSpec, int], controller: Controller) -> None:
    spec, pauses = plan
    stuck = not all(ends(spec, step, controller) for step in range(pauses))
    assert (stuck_abort(spec, controller) is not None) == stuck
