"""Injected faults: when each is active, for which pods, and what it does to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sim.decide import faults as rules
from sim.engine.clock import Rank
from sim.engine.cluster import Scheduler
from sim.engine.ground import Ground
from sim.engine.pods import Pod
from sim.engine.site import Hooks
from sim.model.behaviour import (
    CpuStress,
    Crash,
    Errors,
    Fault,
    Leak,
    NodeLoss,
    PodKill,
    ProviderOutage,
    Side,
    Slowdown,
    SlowStart,
    Target,
)
from sim.model.records import FaultRecord
from sim.traffic import PodEffects


def _is_target(target: Target, pod: Pod) -> bool:
    return rules.is_target(target, pod.revision.side, pod.revision.behaviour.name)


@dataclass(slots=True)
class View:
    """What faults look at and act on outside of pods."""

    scheduler: Scheduler
    pods: Callable[[], list[Pod]]
    """Live pods, oldest first."""
    weights: Callable[[], tuple[float, float]]
    """Percent of the traffic of (candidate, stable)."""
    outage: Callable[[str, bool], None]
    """A provider's outage begins (True) or ends."""


@dataclass(slots=True)
class _State:
    hot: list[str] = field(default_factory=list)
    """Pods offered more than the trigger's rate in the last sample."""
    began: bool = False
    killed: int = 0
    nodes: list[str] = field(default_factory=list)
    due: list[tuple[str, int]] = field(default_factory=list)
    """(pod, container) whose crash is already drawn."""


class FaultEngine(Hooks):
    """Evaluates every trigger at its own instants, at pods' changes and at sample ticks."""

    def __init__(self, ground: Ground, faults: tuple[Fault, ...], view: View) -> None:
        self._ground = ground
        here = [fault for fault in faults if fault.target.region in {None, ground.region}]
        self._faults = [(fault, _State()) for fault in here]
        self._view = view
        self._effects: dict[str, PodEffects] = {}
        for fault, _ in self._faults:
            self._plan(fault)

    def start_up_s(self, pod: Pod, drawn_s: float) -> float:
        """The drawn start-up time, lengthened by every slow start that befalls the pod."""
        for fault, state in self._faults:
            if isinstance(fault.effect, SlowStart) and self._befalls(fault, state, pod):
                drawn_s = drawn_s * fault.effect.factor + fault.effect.add_s
        return drawn_s

    def effects(self, pod: Pod) -> PodEffects:
        """Errors and slowness of every active fault together."""
        made = PodEffects()
        for fault, state in self._faults:
            if isinstance(fault.effect, Errors | Slowdown | Leak | CpuStress) and self._befalls(fault, state, pod):
                made = self._with(made, fault.effect, pod)
        self._effects[pod.name] = made
        return made

    def started(self, pod: Pod) -> None:
        """A container that starts under an active crash or leak has its end drawn."""
        for fault, state in self._faults:
            self._strike(fault, state, pod)

    def became_ready(self, pod: Pod) -> None:
        """Triggers that count a pod's age come due then."""
        for fault, _ in self._faults:
            if fault.trigger.pod_age_s is not None and pod.ready_s is not None:
                self._ground.clock.call_at(pod.ready_s + fault.trigger.pod_age_s, Rank.FAULT, self.evaluate)

    @property
    def is_restless(self) -> bool:
        """Whether effects change by themselves: offered rates are looked at, or a leak grows."""
        return any(
            fault.trigger.above_rps_per_pod is not None or isinstance(fault.effect, Leak) for fault, _ in self._faults
        )

    def tick(self) -> None:
        """The sample tick: offered rates are read and everything is looked at again."""
        if not self._faults:
            return
        for fault, state in self._faults:
            limit = fault.trigger.above_rps_per_pod
            if limit is not None:
                state.hot = [pod.name for pod in self._view.pods() if self._rate(pod) > limit]
        self.evaluate()

    def evaluate(self) -> None:
        """Tells pods whose effects changed, strikes newly befallen ones, and writes rows of faults that began or ended."""
        pods = self._view.pods()
        for fault, state in self._faults:
            befallen = [pod for pod in pods if self._befalls(fault, state, pod)]
            for pod in befallen:
                self._strike(fault, state, pod)
            self._kill(fault, state, befallen)
            if not isinstance(fault.effect, ProviderOutage | NodeLoss):
                self._note(fault, state, began=bool(befallen))
        for pod in pods:
            if self._effects.get(pod.name) != self.effects(pod):
                pod.refresh()

    def _plan(self, fault: Fault) -> None:
        """Appointments for the trigger's start and end."""
        start_s, length_s = fault.trigger.start_s, fault.trigger.duration_s
        if length_s is not None and start_s + length_s <= self._ground.clock.now:
            return
        self._ground.clock.call_at(start_s, Rank.FAULT, lambda: self._turn(fault, on=True))
        if length_s is not None:
            self._ground.clock.call_at(start_s + length_s, Rank.FAULT, lambda: self._turn(fault, on=False))

    def _turn(self, fault: Fault, *, on: bool) -> None:
        state = next(state for one, state in self._faults if one is fault)
        match fault.effect:
            case ProviderOutage(provider):
                self._view.outage(provider, on)
                self._note(fault, state, began=on)
            case NodeLoss(nodes):
                self._lose_nodes(fault, state, nodes) if on else self._return_nodes(state)
                self._note(fault, state, began=on)
            case _:
                self.evaluate()

    def _befalls(self, fault: Fault, state: _State, pod: Pod) -> bool:
        trigger = fault.trigger
        if not rules.is_time(trigger, self._ground.clock.now) or not _is_target(fault.target, pod):
            return False
        if trigger.pod_age_s is not None and not pod.available(trigger.pod_age_s):
            return False
        if trigger.above_rps_per_pod is not None and pod.name not in state.hot:
            return False
        if trigger.above_weight is not None and self._weight(pod) <= trigger.above_weight:
            return False
        return fault.target.share >= 1 or pod.name in self._radius(fault)

    def _radius(self, fault: Fault) -> list[str]:
        """The first ceil(share x n) live pods of the side, by creation."""
        pods = [pod.name for pod in self._view.pods() if _is_target(fault.target, pod)]
        return list(rules.radius(fault.target, pods))

    def _weight(self, pod: Pod) -> float:
        candidate, stable = self._view.weights()
        return candidate if pod.revision.side == Side.CANDIDATE.value else stable

    def _rate(self, pod: Pod) -> float:
        return self._ground.traffic.offered_rps(pod.index) if pod.index is not None else 0.0

    def _with(self, made: PodEffects, effect: Errors | Slowdown | Leak | CpuStress, pod: Pod) -> PodEffects:
        match effect:
            case Errors(ratio, status):
                return replace(made, errors=(*made.errors, (status, ratio)))
            case Slowdown(factor, add_s):
                return replace(
                    made, latency_factor=made.latency_factor * factor, latency_add_s=made.latency_add_s + add_s
                )
            case CpuStress(_, slowdown):
                return replace(made, latency_factor=made.latency_factor * slowdown)
            case Leak(slowdown_per_hour):
                age_s = self._ground.clock.now - (
                    pod.started_s if pod.started_s is not None else self._ground.clock.now
                )
                return replace(made, latency_factor=made.latency_factor * (1 + slowdown_per_hour * age_s / 3600))

    def _strike(self, fault: Fault, state: _State, pod: Pod) -> None:
        """Draws the end of a container once: crashes by chance, leaks by age."""
        if pod.started_s is None or pod.index is None or (pod.name, pod.index) in state.due:
            return
        if not self._befalls(fault, state, pod):
            return
        match fault.effect:
            case Crash(mean_s):
                draw = self._ground.streams.generator(f"fault/{fault.name}").exponential(mean_s) if mean_s > 0 else 0.0
                due_s, reason = self._ground.clock.now + float(draw), "Error"
            case Leak(_, oom_after_s) if oom_after_s is not None:
                due_s, reason = pod.started_s + oom_after_s, "OOMKilled"
            case _:
                return
        container = pod.index
        state.due.append((pod.name, container))

        def strike() -> None:
            if pod.index == container and self._befalls(fault, state, pod):
                pod.crash(reason)

        self._ground.clock.call_at(due_s, Rank.FAULT, strike)

    def _kill(self, fault: Fault, state: _State, befallen: list[Pod]) -> None:
        """Pods that came in place of killed ones are spared once enough have been killed."""
        if isinstance(fault.effect, PodKill):
            for pod in [one for one in befallen if not one.deleted][: fault.effect.pods - state.killed]:
                state.killed += 1
                pod.kill()

    def _lose_nodes(self, fault: Fault, state: _State, count: int) -> None:
        alive = [node for node in self._view.scheduler.nodes if node.alive]
        order = self._ground.streams.generator(f"fault/{fault.name}").permutation(len(alive))
        for position in order[:count]:
            node = alive[int(position)]
            node.alive = False
            state.nodes.append(node.name)
            for pod in self._view.pods():
                if pod.node is node:
                    pod.lose()

    def _return_nodes(self, state: _State) -> None:
        for node in self._view.scheduler.nodes:
            node.alive = node.alive or node.name in state.nodes
        self._view.scheduler.retry()

    def _note(self, fault: Fault, state: _State, *, began: bool) -> None:
        if state.began != began:
            state.began = began
            journal = self._ground.journal
            word = "began" if began else "ended"
            journal.add(FaultRecord(journal.t_s, journal.region, fault.name, fault.target.side.value, word))
