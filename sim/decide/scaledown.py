"""Scale-down deadlines, aborted and old ReplicaSets (behaviour reference 6.5 and 8.1, ``rollout/replicaset.go``)."""

from __future__ import annotations

from collections.abc import Iterable

from sim.decide import defaults
from sim.decide.fenceposts import max_unavailable
from sim.decide.replicas import all_rss, available_pods, new_rs_size
from sim.decide.steps import is_fully_promoted
from sim.decide.turn import Turn
from sim.model.actions import SetScaleDownDeadline
from sim.model.changing import replace
from sim.model.controller import Controller
from sim.model.rollout import ReplicaSetView


def delays_on_abort(turn: Turn) -> bool:
    """Whether the aborted ReplicaSet is kept for its delay before it goes to 0.

    Not on a basic canary, not with delay 0 ("for ever"), and with dynamicStableScale only if a delay is written.
    """
    spec = turn.spec
    if not turn.is_aborted or turn.seen.stable_rs is None:
        return False
    if spec.canary is not None and not defaults.is_routed(spec):
        return False
    if defaults.abort_scale_down_delay_s(spec) is None:
        return False
    return not defaults.is_dynamic(spec) or defaults.has_explicit_abort_delay(spec)


def remove_deadlines(turn: Turn) -> None:
    """Clear the deadline of the stable and (unless aborted) the new ReplicaSet: an update has moved back to them."""
    seen = turn.seen
    keep_new = delays_on_abort(turn)
    for rs in all_rss(replace(seen, other_rss=())):
        is_new = seen.new_rs is not None and rs.hash == seen.new_rs.hash
        is_stable = seen.stable_rs is not None and rs.hash == seen.stable_rs.hash
        if rs.scale_down_deadline_s is not None and (is_stable or not (is_new and keep_new)):
            turn.act(SetScaleDownDeadline(rs.hash, None))


def reconcile_new(turn: Turn) -> bool:
    """Whether the new ReplicaSet was scaled: to the size wanted, or to 0 once an abort's delay is over.

    The delay starts only when stable has all its pods, because the deadline takes the canary away whatever happens. A
    deadline further away than one resync does not hold the pods (``rollout/replicaset.go:171-190``).
    """
    new, stable = turn.seen.new_rs, turn.seen.stable_rs
    if new is None:
        return False
    size = new_rs_size(turn.spec, turn.seen, turn.weights)
    if not delays_on_abort(turn):
        return turn.scale(new, size)
    deadline_s = new.scale_down_deadline_s
    if deadline_s is not None and deadline_s <= turn.seen.now_s:
        return turn.scale(new, 0)
    if deadline_s is not None and deadline_s >= turn.seen.now_s + defaults.RESYNC_S:
        return turn.scale(new, size)
    if turn.seen.controller.is_since(Controller.ARGO_1_10):
        # Renews its desired-replicas annotation, without which a resized Rollout routes nothing until the deadline.
        turn.scale(new, new.desired)
    if deadline_s is not None:
        turn.wake_at(deadline_s)
    elif stable is not None and _carries_all(turn, stable):
        _stamp(turn, new, defaults.abort_scale_down_delay_s(turn.spec) or 0.0)
    return False


def _carries_all(turn: Turn, stable: ReplicaSetView) -> bool:
    """Whether stable has all its pods; before the final 1.10 it must not have more either."""
    if turn.seen.controller.is_since(Controller.ARGO_1_10):
        return stable.available >= turn.spec.desired
    return stable.available == turn.spec.desired


def _stamp(turn: Turn, rs: ReplicaSetView, delay_s: float) -> None:
    if delay_s == 0:
        if rs.scale_down_deadline_s is not None:
            turn.act(SetScaleDownDeadline(rs.hash, None))
        return
    deadline_s = turn.seen.now_s + delay_s
    turn.act(SetScaleDownDeadline(rs.hash, deadline_s))
    turn.wake_at(deadline_s)


def size_under_delay(turn: Turn, rs: ReplicaSetView, waiting: int, sizes: tuple[int, int]) -> tuple[int, int]:
    """(ReplicaSets waiting for a deadline, size of this one): one of ``sizes`` when its deadline is stamped here, and until it.

    At most scaleDownDelayRevisionLimit wait at once; the others go to 0 now.
    """
    limit = defaults.scale_down_revision_limit(turn.spec)
    if rs.scale_down_deadline_s is None:
        if limit is not None and waiting >= limit:
            return waiting, 0
        _stamp(turn, rs, defaults.scale_down_delay_s(turn.spec))
        return waiting + 1, sizes[0]
    waiting += 1
    if (limit is not None and waiting > limit) or rs.scale_down_deadline_s <= turn.seen.now_s:
        return waiting, 0
    turn.wake_at(rs.scale_down_deadline_s)
    return waiting, sizes[1]


def is_referenced(turn: Turn, rs: ReplicaSetView) -> bool:
    """Whether status, weights or a Service still point at it, so that it must keep its pods."""
    status, spec = turn.seen.status, turn.spec
    hashes = {status.stable_rs, status.current_pod_hash, status.blue_green.active_selector}
    hashes.add(status.blue_green.preview_selector)
    if status.weights is not None:
        hashes |= {status.weights.canary.hash, status.weights.stable.hash}
    if spec.canary is not None:
        names = (spec.canary.canary_service, spec.canary.stable_service)
    elif spec.blue_green is not None:
        names = (spec.blue_green.active_service, spec.blue_green.preview_service)
    else:
        names = ("", "")
    hashes |= {service.hash for name in names if (service := turn.service(name)) is not None}
    return rs.hash in hashes


def latest_first(rss: Iterable[ReplicaSetView]) -> list[ReplicaSetView]:
    """By revision, then creation, newest first."""
    return sorted(rss, key=lambda rs: (rs.revision, rs.created_s), reverse=True)


def reconcile_old_canaries(turn: Turn) -> bool:
    """Whether an old ReplicaSet of a canary was scaled down.

    Unhealthy pods go first; then, as far as maxUnavailable allows: all of a basic canary's; a routed one's previous
    stable after its delay and a superseded intermediate one at once, unless still referenced
    (``rollout/canary.go:178-262``).
    """
    active = [rs for rs in turn.seen.other_rss if rs.desired > 0]
    if not active:
        return False
    sizes = {rs.hash: min(rs.desired, rs.available) for rs in active}
    room = available_pods(all_rss(turn.seen)) - (turn.spec.desired - max_unavailable(turn.spec))
    if room > 0:
        _shrink_old(turn, active, sizes, room)
    shrunk = [turn.scale(rs, sizes[rs.hash]) for rs in latest_first(active) if sizes[rs.hash] != rs.desired]
    return room > 0 and any(shrunk)


def _shrink_old(turn: Turn, active: list[ReplicaSetView], sizes: dict[str, int], room: int) -> None:
    waiting = 0
    for rs in latest_first(active):
        size = sizes[rs.hash]
        if room <= 0 or size == 0 or (defaults.is_routed(turn.spec) and is_referenced(turn, rs)):
            continue
        wanted = 0
        if not defaults.is_routed(turn.spec):
            wanted = max(0, size - room)
        elif _was_stable(turn, rs) and not defaults.is_dynamic(turn.spec):
            waiting, wanted = size_under_delay(turn, rs, waiting, (size, size))
        sizes[rs.hash] = wanted
        room -= size - wanted


def _was_stable(turn: Turn, rs: ReplicaSetView) -> bool:
    """Whether an unreferenced old ReplicaSet is a previous stable; otherwise it is defunct and goes at once."""
    return is_fully_promoted(turn.seen.status) or rs.scale_down_deadline_s is not None
