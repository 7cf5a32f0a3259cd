"""Operations of canary_replicas: sizes and weights of the canary strategy, on ``sim.decide``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sim.decide.basic import approximate_split, basic_counts, replicas_for_scale_down
from sim.decide.fenceposts import max_surge, max_unavailable, resolve
from sim.decide.replicas import at_desired, is_available, new_rs_size, threshold_met
from sim.decide.routed import desired_weight, replicas_or_weight, routed_counts, weight_to_replicas
from sim.decide.steps import before_starting_step, current_weight
from sim.model.units import IntOrPercent
from tests.conformance import adapt

Json = Mapping[str, Any]


def canary_basic(given: Json) -> Json:
    canary, stable = basic_counts(*adapt.observed(given))
    return {"canary": canary, "stable": stable}


def canary_tr(given: Json) -> Json:
    canary, stable = routed_counts(*adapt.observed(given), adapt.weights(given.get("weights")))
    return {"canary": canary, "stable": stable}


def approx(given: Json) -> Json:
    split = approximate_split(given["replicas"], given["weight"], given["maxWeight"], given["maxSurge"])
    return {"canary": split[0], "stable": split[1]}


def weight_replicas(given: Json) -> Json:
    return {"replicas": weight_to_replicas(given["replicas"], given["weight"], given["maxWeight"])}


def fenceposts(given: Json) -> Json:
    try:
        surge, unavailable = (adapt.fencepost(given.get(k)) or IntOrPercent(0) for k in ("maxSurge", "maxUnavailable"))
    except ValueError:
        return {"surge": 0, "unavailable": 0, "error": True}
    up, down = resolve(surge, unavailable, given["desired"])
    return {"surge": up, "unavailable": down, "error": False}


def max_surge_unavailable(given: Json) -> Json:
    spec = adapt.spec(given["rollout"])
    return {"maxSurge": max_surge(spec), "maxUnavailable": max_unavailable(spec)}


def at_desired_counts(given: Json) -> Json:
    return {"atDesired": at_desired(*adapt.observed(given), adapt.weights(given.get("weights")))}


def canary_replicas_or_weight(given: Json) -> Json:
    replicas, weight = replicas_or_weight(*adapt.observed(given))
    return {"replicas": replicas, "weight": weight}


def desired_canary_weight(given: Json) -> Json:
    return {"weight": desired_weight(*adapt.observed(given))}


def current_set_weight(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    return {"weight": current_weight(spec, seen.status)}


def starting_step(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    return {"before": before_starting_step(spec, seen.status)}


def scale_down_replicas(given: Json) -> Json:
    rs = adapt.replica_set(given["rs"])
    return {"replicas": replicas_for_scale_down(rs, ignore_availability=given["ignoreAvailability"])}


def progress_threshold(given: Json) -> Json:
    rs = adapt.replica_set(given["rs"])
    return {"met": threshold_met(adapt.threshold(given["threshold"]), rs, given["desired"])}


def rs_available(given: Json) -> Json:
    return {"available": is_available(adapt.replica_set(given["rs"]))}


def new_rs_replicas(given: Json) -> Json:
    """The stable ReplicaSet is among the others in the input; a Rollout without a strategy is an error."""
    spec, seen = adapt.observed(given)
    if spec.canary is None and spec.blue_green is None:
        return {"error": True, "replicas": 0}
    stable = seen.status.stable_rs
    candidates = (seen.new_rs, *seen.other_rss)
    found = next((rs for rs in candidates if rs is not None and stable and rs.hash == stable), None)
    others = tuple(rs for rs in seen.other_rss if rs is not found)
    seen = replace(seen, stable_rs=found, other_rss=others)
    return {"error": False, "replicas": new_rs_size(spec, seen, adapt.weights(given.get("weights")))}


OPS: dict[str, Callable[[Json], Json]] = {
    "canary_basic": canary_basic,
    "canary_tr": canary_tr,
    "approx": approx,
    "weight_to_replicas": weight_replicas,
    "fenceposts": fenceposts,
    "max_surge_unavailable": max_surge_unavailable,
    "at_desired": at_desired_counts,
    "canary_replicas_or_weight": canary_replicas_or_weight,
    "desired_canary_weight": desired_canary_weight,
    "current_set_weight": current_set_weight,
    "before_starting_step": starting_step,
    "replicas_for_scale_down": scale_down_replicas,
    "progress_threshold": progress_threshold,
    "rs_available": rs_available,
    "new_rs_replicas": new_rs_replicas,
}
