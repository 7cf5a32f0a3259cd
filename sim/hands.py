"""A Rollout controller's hands, as the twin and a cluster have them: each action of a decision goes to what it is about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from sim.decide.arguments import RunContext
from sim.decide.orders import Order
from sim.model.actions import (
    Action,
    DeleteAnalysis,
    Experimenting,
    Judging,
    PointService,
    RemoveManagedRoutes,
    Routing,
    SetHeaderRoute,
    SetMirrorRoute,
    SetWeight,
    Sizing,
    StartAnalysis,
    StartExperiment,
    TerminateAnalysis,
    TerminateExperiment,
)
from sim.model.controller import Controller
from sim.model.rollout import HeaderRoute, MirrorRoute, RolloutSpec, RolloutStatus, TrafficWeights


@dataclass(frozen=True, slots=True)
class Rollout:
    """The object as a reconcile found it."""

    spec: RolloutSpec
    status: RolloutStatus
    template_hash: str


class Writer(Protocol):
    """Writes Services and routes."""

    def point(self, service: str, pod_hash: str) -> None:
        """Makes a Service select one revision."""

    def set_sides(self, stable_ping_pong: str) -> None:
        """Says which of the ping-pong Services is stable now, for the weights written from now on."""

    def set_weights(self, weights: TrafficWeights, new_hash: str, stable_hash: str) -> None:
        """Writes weights, and the revisions of the subsets with them."""

    def add_route(self, route: HeaderRoute | MirrorRoute) -> None:
        """Puts a managed route on top, in the order of ``managedRoutes``; one without a match is taken away."""

    def remove_routes(self) -> None:
        """Takes every managed route away."""


class Judge(Protocol):
    """Owns the analysis runs."""

    def start(self, order: Order, spec: RolloutSpec, context: RunContext) -> None:
        """Creates a run. A run that cannot even be created raises TemplateError; one that cannot be judged is an Error."""

    def terminate(self, name: str) -> None:
        """Asks a run to end."""

    def delete(self, name: str) -> None:
        """Removes a run; one that is still going ends."""


class Hands(ABC):
    """Carries out what a decision asks for; ReplicaSets and experiments are each world's own affair."""

    def __init__(self, writer: Writer, judge: Judge, controller: Controller) -> None:
        self._writer = writer
        self._judge = judge
        self._controller = controller

    def apply(self, action: Action, rollout: Rollout) -> None:
        """Carries out one action."""
        match action:
            case SetWeight() | SetHeaderRoute() | SetMirrorRoute() | RemoveManagedRoutes() | PointService():
                self._route(action, rollout)
            case StartAnalysis() | TerminateAnalysis() | DeleteAnalysis():
                self._analyse(action, rollout)
            case StartExperiment() | TerminateExperiment():
                self._experiment(action, rollout)
            case _:
                self._resize(action, rollout)

    @abstractmethod
    def _resize(self, action: Sizing, rollout: Rollout) -> None:
        """ReplicaSets and their pods."""

    @abstractmethod
    def _experiment(self, action: Experimenting, rollout: Rollout) -> None:
        """Experiments of the current step."""

    def _route(self, action: Routing, rollout: Rollout) -> None:
        match action:
            case SetWeight():
                self._writer.set_sides(rollout.status.stable_ping_pong)
                self._writer.set_weights(action.weights, rollout.template_hash, rollout.status.stable_rs)
            case SetHeaderRoute() | SetMirrorRoute():
                self._writer.add_route(action.route)
            case RemoveManagedRoutes():
                self._writer.remove_routes()
            case PointService():
                self._writer.point(action.service, action.hash)

    def _analyse(self, action: Judging, rollout: Rollout) -> None:
        match action:
            case StartAnalysis():
                spec, pod_hash = rollout.spec, rollout.template_hash
                stable = rollout.status.stable_rs
                context = RunContext(pod_hash, stable, spec.namespace, controller=self._controller)
                self._judge.start(Order.of(action, spec, pod_hash), spec, context)
            case TerminateAnalysis():
                self._judge.terminate(action.run)
            case DeleteAnalysis():
                self._judge.delete(action.run)
