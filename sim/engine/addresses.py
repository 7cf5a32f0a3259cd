"""By which Service, and which Ingress, clients reach pods: what proxies write into their metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sim.model.manifests import ManifestSet
from sim.model.pods import Labels, selects
from sim.model.rollout import RolloutSpec
from sim.model.strategy import ArgoRollout, LocalStrategy


class NetworkAddresses:
    """Names from the Services as they are now, and from the Ingresses as written."""

    def __init__(
        self, services: Callable[[], Mapping[str, Labels]], manifests: ManifestSet, strategy: LocalStrategy
    ) -> None:
        self._services = services
        self._rollout = _rollout(manifests, strategy)
        self._first = _serving(self._rollout)
        self._ingresses = {service: one.name for one in manifests.ingresses for service in one.backends}

    def service_of(self, labels: Labels) -> str:
        """Of several that select the pods the most exact one, and of these the one that serves clients first.

        So it is the stable or active Service of a Rollout rather than its canary or preview one.
        """
        fitting = [(name, selector) for name, selector in self._services().items() if selects(selector, labels)]
        exact = max((len(selector) for _, selector in fitting), default=0)
        names = [name for name, selector in fitting if len(selector) == exact]
        return next((name for name in self._first if name in names), names[0] if names else "")

    def ingress_of(self, service: str) -> str:
        """The Ingress as written; that of nginx' canary is made by the controller (``ROLLOUT-INGRESS-canary``)."""
        canary = self._rollout.canary if self._rollout is not None else None
        if self._rollout is not None and canary is not None and service and service == canary.canary_service:
            stable = self._ingresses.get(canary.stable_service, "")
            return f"{self._rollout.name}-{stable}-canary" if stable else ""
        return self._ingresses.get(service, "")


def _rollout(manifests: ManifestSet, strategy: LocalStrategy) -> RolloutSpec | None:
    if not isinstance(strategy, ArgoRollout):
        return None
    return next((one for one in manifests.rollouts if one.name == strategy.rollout), None)


def _serving(spec: RolloutSpec | None) -> tuple[str, ...]:
    if spec is None:
        return ()
    if spec.blue_green is not None:
        return (spec.blue_green.active_service,)
    return (spec.canary.stable_service,) if spec.canary is not None else ()
