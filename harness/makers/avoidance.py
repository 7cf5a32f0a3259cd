"""Anti-affinity that the Rollout controller injects into a new revision's pods (``utils/replicaset/replicaset.go``)."""

from __future__ import annotations

from typing import Final

from harness.cluster.objects import Object
from sim.decide.istio.rewriting import HASH_LABEL
from sim.model.pods import AntiAffinity
from sim.model.rollout import RolloutSpec

_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def avoiding(template: Object, spec: RolloutSpec, stable_hash: str, pod_hash: str) -> Object:
    """The pod template of a revision that keeps away from the nodes of the stable one, if the strategy asks for it."""
    strategy = spec.canary or spec.blue_green
    if strategy is None or not strategy.anti_affinity or stable_hash in {"", pod_hash}:
        return template
    among = [{"key": HASH_LABEL, "operator": "In", "values": [stable_hash]}]
    rule: Object = {"labelSelector": {"matchExpressions": among}, "topologyKey": "kubernetes.io/hostname"}
    if strategy.anti_affinity[0] is AntiAffinity.PREFERRED:
        return _with(template, _PREFERRED, {"weight": strategy.anti_affinity_weight or 1, "podAffinityTerm": rule})
    return _with(template, _REQUIRED, rule)


def _with(template: Object, key: str, rule: Object) -> Object:
    """The template with one more rule; what it has of its own stays."""
    affinity = template["spec"].get("affinity") or {}
    own = affinity.get("podAntiAffinity") or {}
    away = {**own, key: [*(own.get(key) or ()), rule]}
    return {**template, "spec": {**template["spec"], "affinity": {**affinity, "podAntiAffinity": away}}}
