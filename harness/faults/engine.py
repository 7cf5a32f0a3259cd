"""When each fault acts and on which pods, looked at with every poll; what acts is done, and rows are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.app.environment import acts_alone
from harness.faults.network import ADAPTATION, Network, is_of_the_network
from harness.faults.nodes import Nodes
from harness.faults.pods import Subject, subjects
from harness.faults.telling import Teller
from harness.missing import MissingError
from harness.site import Site
from sim.decide import faults as rules
from sim.model.behaviour import Fault, NodeLoss, PodKill, ProviderOutage, Side, Slowdown
from sim.model.records import FaultRecord


@dataclass(frozen=True, slots=True)
class View:
    """What faults look at and act on outside of pods."""

    teller: Teller
    nodes: Nodes
    weights: Callable[[], tuple[float, float]]
    """Percent of the traffic of (candidate, stable) that the gateway acts on."""
    outage: Callable[[str, bool], None]
    """A provider's outage begins (True) or ends."""
    network: Network | None = None
    """Does what added time there is, if given; otherwise the application does."""


@dataclass(slots=True)
class _State:
    is_on: bool = False
    """Whether the trigger's stretch is under way: of faults that befall no pods."""
    began: bool = False
    killed: list[str] = field(default_factory=list)


class FaultEngine:
    """The scenario's faults and those that its versions bring along. Never keeps a run from ending."""

    busy = False

    def __init__(self, site: Site, view: View) -> None:
        scenario = site.loaded.scenario
        here = [fault for fault in rules.faults_of(scenario) if fault.target.region in {None, site.region}]
        self._site = site
        self._view = view
        self._faults = [(fault, _State()) for fault in here]
        self._versions = {"stable": scenario.stable.name, "candidate": scenario.release.behaviour.name}
        self._every_s = scenario.telemetry.sample_interval_s
        loses = any(isinstance(fault.effect, NodeLoss) for fault in here)
        delays = any(self._is_sent(fault) for fault in here)
        said = (view.nodes.adaptation if loses else "", ADAPTATION if delays else "")
        self.adaptations = tuple(filter(None, said))
        """What is done otherwise than in the twin, one sentence each."""
        refuse_datadog(here)

    def poll(self) -> None:
        """Looks at everything; does nothing twice."""
        if not self._faults:
            return
        seen = self._site.objects.watch("Pod").current().values()
        pods = subjects(seen, self._versions, self._site.recorder)
        acting: dict[str, list[Fault]] = {pod.name: [] for pod in pods}
        delays_s: dict[str, float] = dict.fromkeys(acting, 0.0)
        for fault, state in self._faults:
            if isinstance(fault.effect, ProviderOutage | NodeLoss):
                self._turn(fault, state, pods)
                continue
            befallen = [pod for pod in pods if self._befalls(fault, pod, pods)]
            self._kill(fault, state, befallen)
            self._note(fault, state, began=any(self._shows(fault, pod) for pod in befallen))
            if self._is_sent(fault):
                for pod in befallen:
                    delays_s[pod.name] += _added_s(fault) if self._shows(fault, pod) else 0.0
            elif _is_told(fault):
                for pod in befallen:
                    acting[pod.name].append(fault)
        for pod in pods:
            self._view.teller.tell(pod, acting[pod.name])
        if self._view.network is not None:
            self._view.network.delay(pods, delays_s)

    def close(self) -> None:
        """Whatever was taken away outside of the namespace is given back."""
        self._view.nodes.restore()
        if self._view.network is not None:
            self._view.network.close()

    def _is_sent(self, fault: Fault) -> bool:
        """Whether the network does what the fault says; a pod alone knows of its own load."""
        alone = bool(fault.target.version) or fault.trigger.above_rps_per_pod is not None
        return self._view.network is not None and not alone and is_of_the_network(fault)

    def _turn(self, fault: Fault, state: _State, pods: Sequence[Subject]) -> None:
        is_on = rules.is_time(fault.trigger, self._site.recorder.t_s)
        if is_on == state.is_on:
            return
        state.is_on = is_on
        match fault.effect:
            case ProviderOutage(provider):
                self._view.outage(provider, is_on)
            case NodeLoss(count) if is_on:
                self._view.nodes.lose(fault.name, count, pods)
            case _:
                self._view.nodes.restore()
        self._note(fault, state, began=is_on)

    def _befalls(self, fault: Fault, pod: Subject, pods: Sequence[Subject]) -> bool:
        """Whether a fault acts on a pod, as far as the pod does not judge that by itself."""
        trigger, target = fault.trigger, fault.target
        if not rules.is_time(trigger, self._site.recorder.t_s) or not pod.is_target(target):
            return False
        if trigger.above_weight is not None and self._weight(pod) <= trigger.above_weight:
            return False
        return target.share >= 1 or pod in rules.radius(target, [one for one in pods if one.is_target(target)])

    def _shows(self, fault: Fault, pod: Subject) -> bool:
        """Whether the fault really acts on a pod that it befalls: the rest of the trigger."""
        age_s, limit = fault.trigger.pod_age_s, fault.trigger.above_rps_per_pod
        if age_s is not None and (pod.ready_s is None or pod.ready_s + age_s > self._site.recorder.t_s):
            return False
        return limit is None or fault.name in self._view.teller.acting(pod, self._every_s)

    def _weight(self, pod: Subject) -> float:
        candidate, stable = self._view.weights()
        return candidate if pod.side == Side.CANDIDATE.value else stable

    def _kill(self, fault: Fault, state: _State, befallen: Sequence[Subject]) -> None:
        """Pods that came in place of killed ones are spared once enough have been killed."""
        if not isinstance(fault.effect, PodKill):
            return
        fresh = [one for one in befallen if not one.leaves and one.name not in state.killed and self._shows(fault, one)]
        for pod in fresh[: fault.effect.pods - len(state.killed)]:
            state.killed.append(pod.name)
            self._site.objects.delete("Pod", pod.name, grace_s=0)

    def _note(self, fault: Fault, state: _State, *, began: bool) -> None:
        if state.began != began:
            state.began = began
            recorder = self._site.recorder
            word = "began" if began else "ended"
            recorder.add(FaultRecord(recorder.t_s, recorder.region, fault.name, fault.target.side.value, word))


def refuse_datadog(faults: Sequence[Fault]) -> None:
    """MissingError for an outage of a provider that a cluster run does not have."""
    for fault in faults:
        if isinstance(fault.effect, ProviderOutage) and fault.effect.provider != "prometheus":
            what, why = f"a {fault.effect.provider} of our own", f"fault {fault.name} stops it"
            raise MissingError(what, why, "Only Prometheus can be stopped at a cluster run; the twin can stop both.")


def _added_s(fault: Fault) -> float:
    return fault.effect.add_s if isinstance(fault.effect, Slowdown) else 0.0


def _is_told(fault: Fault) -> bool:
    """Whether pods have to be told of it: not where they judge a fault of their own version by themselves."""
    if isinstance(fault.effect, PodKill):
        return False
    brought = bool(fault.target.version)
    return not (brought and acts_alone(fault, fault.target.side.value))
