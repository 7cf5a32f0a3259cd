"""One strategy in one cluster: everything assembled, run from warm-up to the end of the tail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.decide.claims import Claim, judged
from sim.decide.faults import faults_of
from sim.decide.rejections import Rejection
from sim.decide.standing import standing_strategy, with_workload
from sim.engine.addresses import NetworkAddresses
from sim.engine.argo import ArgoDriver
from sim.engine.audience import Audience
from sim.engine.clock import Clock, Rank
from sim.engine.cluster import Scheduler
from sim.engine.deployment import DeploymentController
from sim.engine.faults import FaultEngine, View
from sim.engine.ground import Ground
from sim.engine.journal import SimulatedJournal
from sim.engine.lookout import Lookout
from sim.engine.observing import Watch
from sim.engine.operator import Operator
from sim.engine.outcome import Driver
from sim.engine.people import people
from sim.engine.pods import Pod
from sim.engine.replicasets import ReplicaSet
from sim.engine.revision import stable_revision
from sim.engine.rolling_driver import DeploymentDriver
from sim.engine.routing import Router
from sim.engine.sampler import Sampler
from sim.engine.script import ScriptDriver
from sim.engine.setup import bystanders, eyes_of, network_and_entry
from sim.engine.site import PodSite
from sim.engine.telemetry import Collector
from sim.model.data_plane import DataPlaneMode, PlaneUse
from sim.model.outcome import LocalResult, Outcome
from sim.model.records import TrafficRecord, Verdict
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, LocalStrategy, RollingUpdate, SetImage, SwitchScript
from sim.streams import Streams
from sim.traffic.aggregate import plane_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a strategy runs: the region's name, its share of the traffic and its own streams."""

    streams: Streams
    region: str = ""
    share: float = 1.0
    watch_s: float = 0.0
    """How long beyond the horizon a promoted release is still watched for users' reports."""
    watch: Watch = field(default_factory=Watch)
    """What becomes of the gates' verdicts."""


def run_local(scenario: Scenario, strategy: LocalStrategy, place: Place, rejection: Rejection | None) -> LocalResult:
    """One region's run. Where a rejected strategy's object does not exist, what else the manifests deploy goes on serving."""
    standing = standing_strategy(scenario.manifests, strategy)
    if standing is None:
        reason = rejection.reason if rejection is not None else "nothing is deployed"
        return LocalResult(Outcome(Verdict.REJECTED, reason, 0.0), 0.0, 0, ())
    return LocalRun(scenario, standing, place).run(rejection)


class LocalRun:
    """Assembles the processes of one region and runs them once."""

    def __init__(self, scenario: Scenario, strategy: LocalStrategy, place: Place) -> None:
        self._scenario, self._strategy = scenario, strategy
        clock = Clock(initial_time=-scenario.warm_up_s)
        journal = SimulatedJournal(clock, place.region)
        plane = plane_of(scenario, place.streams, place.share)
        self._ground = Ground(scenario, clock, place.streams, journal, plane, place.region, place.watch)
        self._site = PodSite(self._ground, Scheduler(scenario.cluster))
        network, entry = network_and_entry(scenario.manifests, strategy, scenario.cluster.istio)
        self._router = Router(self._ground, network, entry)
        addresses = NetworkAddresses(lambda: network.services, scenario.manifests, strategy)
        self._lookout = Lookout(self._ground)
        audience = Audience(self._ground, self._replica_sets, _namespace(scenario, strategy), addresses)
        self._collector = Collector(self._ground, self._lookout, audience)
        self._driver = self._drive(strategy)
        self._router.backends.append(self._driver)
        others = bystanders(scenario, strategy, network, entry)
        self._bystanders = [DeploymentController(self._site, one) for one in others]
        self._router.backends.extend(self._bystanders)
        self._until_s = scenario.horizon_s + place.watch_s
        self._people = people(self._ground, self._driver, self._until_s)
        self._driver.on_change.append(self._people.look)
        self._sampler = Sampler(self._ground, self._lookout)
        self._claim = Claim(scenario.telemetry.sample_interval_s)
        self._operator: Operator | None = None
        self._wire()

    def run(self, rejection: Rejection | None) -> LocalResult:
        """Warm-up, release (or its rejection), and on until the tail is over."""
        clock = self._ground.clock
        if not self._scenario.first_deploy:
            self._driver.stand()
        for one in self._bystanders:
            one.stand(stable_revision(one.spec.template, self._scenario.stable))
        clock.call_at(clock.now, Rank.FAULT, self._router.open)
        clock.run_while(lambda: 0.0)
        desired = self._driver.desired_pods + sum(one.spec.replicas for one in self._bystanders)
        if rejection is None:
            self._driver.release()
            if isinstance(self._driver, ArgoDriver):
                self._operator = Operator(self._ground, self._driver)
        else:
            self._refuse(rejection)
        clock.run_while(self._limit_s)
        self._sampler.finish()
        outcome = judged(self._driver.outcome or self._driver.stuck(), self._claim.failing)
        rows = self._ground.watch.settled(self._ground.journal.rows)
        return LocalResult(outcome, self._ground.journal.t_s, desired, rows, self._plane_use())

    def _plane_use(self) -> PlaneUse | None:
        if self._scenario.data_plane is DataPlaneMode.EXACT:
            return None
        plane = self._ground.plane
        return PlaneUse(plane.exact_s, plane.now_s + self._scenario.warm_up_s)

    def _refuse(self, rejection: Rejection) -> None:
        self._ground.journal.decision(rejection.actor, "reject", rejection.reason)
        if rejection.phase_message:
            self._driver.refuse(rejection.phase_message)
        self._driver.outcome = Outcome(Verdict.REJECTED, rejection.reason, 0.0)

    def _limit_s(self) -> float:
        outcome = self._driver.outcome
        if outcome is None:
            return self._until_s if self._driver.going_back else self._scenario.horizon_s
        if self._people.busy:
            return self._until_s
        last_s = self._operator.last_s if self._operator is not None else 0.0
        return min(self._until_s, max(outcome.ended_s, last_s) + self._scenario.tail_s)

    @property
    def _is_operated(self) -> bool:
        """Whether somebody is yet to do something at a set time."""
        return self._operator is not None and self._operator.is_due

    def _drive(self, strategy: LocalStrategy) -> Driver:
        manifests, sources = self._scenario.manifests, self._collector.sources
        match strategy:
            case ArgoRollout(name):
                spec = next(one for one in manifests.rollouts if one.name == name)
                return ArgoDriver(self._site, with_workload(spec, manifests), self._router, sources)
            case RollingUpdate(name) | SetImage(name):
                deployment = next(one for one in manifests.deployments if one.name == name)
                actor = "person" if isinstance(strategy, SetImage) else "argo-cd"
                return DeploymentDriver(self._site, deployment, actor)
            case SwitchScript():
                return ScriptDriver(self._site, strategy, self._router, sources)

    def _wire(self) -> None:
        """Faults, samples and scrapes."""
        view = View(self._site.scheduler, self._pods, lambda: self._router.weights, self._collector.outage)
        faults = faults_of(self._scenario)
        if faults:
            engine = FaultEngine(self._ground, faults, view)
            self._site.hooks = engine
            self._router.on_weights.append(engine.evaluate)
            self._sampler.ticker = engine
        self._sampler.on_rows += [self._people.watch, self._count_tail]
        self._sampler.idle_until_s = lambda: self._people.idle_until_s
        self._sampler.begin()
        self._collector.is_read = self._is_read
        self._ground.watch.asks(self._collector)
        self._collector.start(self._ground.watch.eyes(eyes_of(self._scenario.manifests, self._strategy)))

    def _is_read(self, store: str) -> bool:
        """Whether anybody may still query: nobody does after the end.

        A promoted release may yet be undone through its gates. Agents then need a history without gaps, counters do
        not, so scrapes go on once somebody is about to act.
        """
        outcome = self._driver.outcome
        if outcome is None or self._is_operated:
            return True
        return outcome.verdict is Verdict.PROMOTED and (store == "datadog" or self._people.is_acting)

    def _count_tail(self, now_s: float, window: Sequence[TrafficRecord]) -> None:
        self._claim.count(now_s, window, self._driver.outcome)

    def _replica_sets(self) -> list[ReplicaSet]:
        return [rs for backend in self._router.backends for rs in backend.replica_sets]

    def _pods(self) -> list[Pod]:
        live = [pod for rs in self._replica_sets() for pod in rs.pods if not pod.gone]
        return sorted(live, key=lambda pod: pod.created_s)


def _namespace(scenario: Scenario, strategy: LocalStrategy) -> str:
    if isinstance(strategy, ArgoRollout):
        return next(one.namespace for one in scenario.manifests.rollouts if one.name == strategy.rollout)
    return next((one.namespace for one in scenario.manifests.deployments), "default")
