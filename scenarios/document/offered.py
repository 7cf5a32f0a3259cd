"""Traffic written for each pod (``rate: 20/pod``): what it comes to once the workload is known."""

from __future__ import annotations

from dataclasses import replace

from sim.model.load import LoadShape
from sim.model.manifests import ManifestSet
from sim.model.strategy import ArgoRollout, RollingUpdate, Strategy


class PerPod(float):
    """Requests/s for each desired pod; a rate only for as long as the workload is not known."""

    __slots__ = ()


def pods_of(strategy: Strategy, manifests: ManifestSet) -> int | None:
    """Pods that the released workload wants; None where the strategy has no single one."""
    match strategy:
        case ArgoRollout(name):
            return next((one.desired for one in manifests.rollouts if one.name == name), None)
        case RollingUpdate(name):
            return next((one.replicas for one in manifests.deployments if one.name == name), None)
        case _:
            return None


def is_per_pod(load: LoadShape) -> bool:
    """Whether any stage is written for each pod."""
    return any(isinstance(stage.rate_rps, PerPod) for stage in load.stages)


def for_all(load: LoadShape, pods: int) -> LoadShape:
    """The same traffic in requests/s for all pods; a workload of no pods is called as one of one pod is."""
    stages = tuple(
        replace(stage, rate_rps=float(stage.rate_rps) * max(1, pods)) if isinstance(stage.rate_rps, PerPod) else stage
        for stage in load.stages
    )
    return replace(load, stages=stages)
