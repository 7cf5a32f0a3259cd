"""Sizes of a canary without traffic routing, where the pod ratio is the split (behaviour reference 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from math import modf

from sim.decide.defaults import max_weight
from sim.decide.fenceposts import max_surge, max_unavailable
from sim.decide.routed import replicas_or_weight, weight_to_replicas
from sim.model.rollout import Observed, ReplicaSetView, RolloutSpec


def approximate_split(replicas: int, weight: int, full: int, surge: int) -> tuple[int, int]:
    """(canary, stable) pods whose ratio is nearest to ``weight`` of ``full``.

    Candidates round up and down, with ``replicas`` pods and, if there is surge, one more; neither side is left empty
    for a weight strictly between. Ties keep the earlier: up before down, unsurged before surged
    (``utils/replicaset/canary.go:218-273``).
    """
    if replicas == 0:
        return 0, 0
    up, down = weight_to_replicas(replicas, weight, full), replicas * weight // full
    empty_side_allowed = weight in {0, full} or (replicas == 1 and surge == 0)
    down_allowed = down != 0 or empty_side_allowed
    options: list[tuple[int, int]] = []
    if up < replicas or empty_side_allowed:
        options.append((up, replicas))
    if down_allowed and not _tied(weight, full, replicas):
        options.append((down, replicas))
    if surge > 0:
        options.append((up, replicas + 1))
        if down_allowed and not _tied(weight, full, replicas + 1):
            options.append((down, replicas + 1))
    if not options:
        return 0, replicas
    canary, total = min(options, key=lambda option: abs(option[0] * full / option[1] - weight))
    return canary, total - canary


def _tied(weight: int, full: int, total: int) -> bool:
    return modf(total * (weight / full))[0] == 0.5


def has_separate_stable(seen: Observed) -> bool:
    """Whether there is a stable ReplicaSet other than the new one."""
    return seen.stable_rs is not None and (seen.new_rs is None or seen.new_rs.name != seen.stable_rs.name)


def replicas_for_scale_down(rs: ReplicaSetView | None, *, ignore_availability: bool) -> int:
    """Pods of ``rs`` that count as available when deciding how many others may go."""
    if rs is None:
        return 0
    return rs.desired if ignore_availability or rs.desired < rs.available else rs.available


@dataclass(frozen=True, slots=True)
class _Limits:
    most: int
    least_available: int


def basic_counts(spec: RolloutSpec, seen: Observed) -> tuple[int, int]:
    """(canary, stable) sizes one reconcile ahead, within maxSurge and maxUnavailable.

    First up, stable before canary; then down, but only once older ReplicaSets are gone. A growing canary ignores how
    available stable is, a shrinking one ignores the canary's (``utils/replicaset/canary.go:124-217``).
    """
    new, stable = seen.new_rs, seen.stable_rs if has_separate_stable(seen) else None
    wanted_new, wanted_stable = _wanted(spec, seen)
    limits = _Limits(spec.desired + max_surge(spec), spec.desired - max_unavailable(spec))
    older = sum(rs.desired for rs in seen.other_rss)
    room = limits.most - older - _size(new) - _size(stable)
    stable_count = _grown(stable, wanted_stable, room)
    new_count = _grown(new, wanted_new, room - (stable_count - _size(stable)))
    if older > 0:
        return new_count, stable_count
    grows = new is None or wanted_new >= new.desired
    # Where there is no stable to drain, upstream still counts the stable ReplicaSet it was given.
    counted = replicas_for_scale_down(new, ignore_availability=not grows)
    counted += replicas_for_scale_down(seen.stable_rs, ignore_availability=grows)
    spare = counted - limits.least_available
    if spare <= 0:
        return new_count, stable_count
    if not grows:
        new_count = _shrunk(new, wanted_new, spare, new_count)
        return _within(limits, new, new_count, seen.stable_rs, stable_count)
    if stable is not None:
        stable_count = _shrunk(stable, wanted_stable, spare, stable_count)
        stable_count, new_count = _within(limits, stable, stable_count, new, new_count)
    return new_count, stable_count


def _wanted(spec: RolloutSpec, seen: Observed) -> tuple[int, int]:
    if not has_separate_stable(seen):
        return spec.desired, 0
    _, weight = replicas_or_weight(spec, seen)
    return approximate_split(spec.desired, weight, max_weight(spec), max_surge(spec))


def _size(rs: ReplicaSetView | None) -> int:
    return rs.desired if rs else 0


def _grown(rs: ReplicaSetView | None, wanted: int, room: int) -> int:
    size = _size(rs)
    return min(wanted, size + room) if rs is not None and size < wanted and room > 0 else size


def _shrunk(rs: ReplicaSetView | None, wanted: int, spare: int, count: int) -> int:
    return max(wanted, rs.desired - spare) if rs is not None and rs.desired > wanted else count


def _within(
    limits: _Limits, drain: ReplicaSetView | None, draining: int, other: ReplicaSetView | None, count: int
) -> tuple[int, int]:
    """The two counts pulled back under the surge limit without going below the available pods needed."""
    if other is None:
        return draining, count
    count -= max(0, count + draining - limits.most)
    available = min(other.available, count) + (min(drain.available, draining) if drain else 0)
    lost = max(0, other.available - count)
    count += min(lost, max(0, limits.least_available - available))
    return draining - max(0, count + draining - limits.most), count
