"""The playbook's switch script: deploy the idle colour, validate it, patch the VirtualService, check, or switch back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simpy import Interrupt
from simpy.events import Event, Process

from sim.decide import script as rules
from sim.engine.clock import Rank
from sim.engine.deployment import DeploymentController
from sim.engine.destinations import Network
from sim.engine.ground import Ground
from sim.engine.replicasets import ReplicaSet
from sim.engine.revision import candidate_revision, stable_revision
from sim.engine.routing import Router
from sim.engine.site import PodSite
from sim.metrics import promql
from sim.metrics.promql import PromqlError
from sim.metrics.providers import Sources
from sim.model.network import HttpMatch, HttpRoute, RouteDestination, StringMatch, VirtualService
from sim.model.outcome import Outcome
from sim.model.pods import labels_of
from sim.model.records import Verdict
from sim.model.strategy import SwitchScript

Life = Generator[Event, Any, None]


@dataclass(frozen=True, slots=True)
class Stopped:
    """A person stopped the script (cause of an interrupt)."""

    reason: str


class ScriptDriver:
    """Runs the script once, as a process; people may interrupt it or toggle afterwards."""

    def __init__(self, site: PodSite, strategy: SwitchScript, router: Router, sources: Callable[[], Sources]) -> None:
        self._ground: Ground = site.ground
        self._strategy = strategy
        self._router = router
        self._sources = sources
        self._start_color = rules.active_color(
            strategy, rules.default_host(strategy, router.network.virtual_services.get(strategy.virtual_service))
        )
        self._active = self._start_color
        self._idle = rules.switch_route(strategy, self._active).target
        manifests = self._ground.scenario.manifests
        named = {one.name: one for one in manifests.deployments}
        wanted = [(color, named.get(strategy.deployment_prefix + color)) for color in strategy.colors]
        self._deployments = {color: DeploymentController(site, found) for color, found in wanted if found is not None}
        self._process: Process | None = None
        self._reported = ""
        """What was last said of a release that serves everybody."""
        self._going_back = False
        self._switched = self._switching_back = False
        self._served_all = False
        self.outcome: Outcome | None = None
        self.on_change: list[Callable[[], None]] = []

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """ReplicaSets of both colours."""
        return tuple(rs for one in self._deployments.values() for rs in one.replica_sets)

    @property
    def desired_pods(self) -> int:
        """Pods of one colour: the other one is the price of the strategy."""
        active = self._deployments.get(self._start_color)
        return active.spec.replicas if active is not None else 0

    @property
    def good(self) -> bool:
        """Whether the release is a good one."""
        return self._ground.scenario.release.good

    @property
    def going_back(self) -> bool:
        """Whether people are taking the release back."""
        return self._going_back

    def stand(self) -> None:
        """The active colour runs the stable version; so does the idle one, unless nobody is going to deploy to it."""
        scenario = self._ground.scenario
        for color, one in self._deployments.items():
            old = stable_revision(one.spec.template, scenario.stable)
            new = candidate_revision(one.spec.template, scenario.release.behaviour)
            one.stand(new if color == self._idle and self._strategy.idle_deployed_by is None else old)

    def release(self) -> None:
        """People deploy the idle colour, then run the script."""
        self._ground.journal.decision("person", "start", f"release to {self._idle}")
        self._process = self._ground.clock.process(self._go())

    def refuse(self, message: str) -> None:
        """Nothing refuses a script."""

    def waits_for_person(self) -> object | None:
        """Never."""
        return None

    def approve(self) -> None:
        """Nothing waits."""

    def abort(self, reason: str) -> None:
        """A person stops the script and sends the traffic back."""
        self._ground.journal.decision("person", "abort", reason)
        if self._process is not None and self._process.is_alive and not self._switching_back:
            self._process.interrupt(Stopped(reason))

    def undo(self, reason: str) -> None:
        """A person runs ``rollback``."""
        self._ground.journal.decision("person", "undo", reason)
        self._going_back, self.outcome = True, None
        self._run_rollback(Verdict.UNDONE, f"undone by a person: {reason}")

    @property
    def trouble(self) -> str:
        """A script has no status that anybody watches."""
        return ""

    def arrive_late(self, reason: str) -> None:
        """A person runs ``rollback`` after the script has switched back by itself: a toggle brings the release back (D44)."""
        route = rules.undo_route(self._strategy, self._active, self._start_color)
        if self.outcome is None or self._active != self._start_color or route.target == self._active:
            return
        if not self._switched:
            return
        self._ground.journal.decision("person", "switch", f"rollback toggles to {route.target}: {reason}")
        self.outcome, self._served_all, self._reported = None, True, rules.TOGGLED
        self._run_rollback(Verdict.PROMOTED, rules.TOGGLED)

    def stuck(self) -> Outcome:
        """The script never ended."""
        return Outcome(Verdict.STUCK, "the switch script had not ended at the horizon", self._ground.clock.now)

    def _run_rollback(self, verdict: Verdict, reason: str) -> None:
        acts_s = self._switch(rules.undo_route(self._strategy, self._active, self._start_color))

        def settle() -> None:
            self._going_back = False
            self._end(verdict, reason)

        self._ground.clock.call_at(acts_s, Rank.CONTROLLER, settle)

    def _go(self) -> Life:
        journal, actor = self._ground.journal, "script"
        try:
            yield from self._deploy()
            refusal = self._validate()
            if refusal:
                journal.decision("script", "abort", refusal)
                self._end(Verdict.ABORTED, refusal)
                return
            journal.decision("script", "switch", f"{self._active} to {self._idle}")
            self._switched = True
            self._switch(rules.switch_route(self._strategy, self._active))
            failure = yield from self._check()
        except Interrupt as interrupt:
            actor = "person"
            failure = interrupt.cause.reason if isinstance(interrupt.cause, Stopped) else str(interrupt.cause)
        if failure:
            yield from self._switch_back(failure, actor)
        else:
            self._served_all, self._reported = True, rules.SUCCESS
            journal.decision("script", "promote", f"switch to {self._idle} completed successfully")
            self._end(Verdict.PROMOTED, f"{rules.SUCCESS}; {self._idle} serves all traffic")

    def _deploy(self) -> Life:
        delay = self._strategy.idle_deployed_by
        if delay is None:
            return
        self._ground.journal.step(0, f"deploy {self._idle}", "started")
        yield self._ground.clock.after(self._ground.draw_s("people/deploy", delay), Rank.CONTROLLER)
        idle = self._deployments.get(self._idle)
        if idle is not None:
            idle.apply(candidate_revision(idle.spec.template, self._ground.scenario.release.behaviour))
            yield self._completion(idle)
        self._ground.journal.step(0, f"deploy {self._idle}", "completed")

    def _completion(self, deployment: DeploymentController) -> Event:
        """People wait for the Deployment to be complete, or to have exceeded its progress deadline."""
        done = self._ground.clock.event()

        def look() -> None:
            if not done.triggered and (deployment.is_complete or deployment.message):
                done.succeed()

        deployment.on_change.append(look)
        return done

    def _validate(self) -> str | None:
        self._ground.journal.step(1, f"validate {self._idle}", "started")
        idle = self._deployments.get(self._idle)
        ready, desired, not_running = idle.counts() if idle is not None else (None, None, None)
        refusal = rules.validate(self._strategy.defects, ready, desired, not_running)
        self._ground.journal.step(1, f"validate {self._idle}", "completed")
        return refusal

    def _switch(self, route: rules.Route) -> float:
        """Patches the VirtualService; when the proxies act on it, seconds."""
        self._active = route.target
        name, strategy = self._strategy.virtual_service, self._strategy

        def change(network: Network) -> None:
            if name in network.virtual_services:
                network.virtual_services[name] = patched(network.virtual_services[name], strategy, route)

        return self._router.write(change, "route")

    def _check(self) -> Generator[Event, Any, str]:
        """The first failing check's reason, or ''. The script sleeps after every check, the last one too."""
        clock, strategy = self._ground.clock, self._strategy
        yield clock.after(strategy.first_check_after_s, Rank.CONTROLLER)
        for number in range(strategy.checks):
            errors = self._query("error-rate", strategy.error_query, strategy.error_limit)
            latency = self._query("p99", strategy.latency_query, strategy.latency_limit)
            failure = rules.failure(strategy, errors, latency)
            if failure is not None:
                return f"check {number + 1}: {failure}"
            yield clock.after(strategy.interval_s, Rank.CONTROLLER)
        return ""

    def _query(self, metric: str, query: str, limit: float) -> rules.Vector | None:
        """One query's answer, with a row that says what the script made of it."""
        vector = self._vector(rules.query_text(self._strategy, query, self._active))
        text = rules.value_of(self._strategy.defects, vector)
        phase = "Failed" if rules.is_above(self._strategy.defects, text, limit) else "Successful"
        self._ground.journal.measurement(rules.CHECK_RUN, metric, phase, text)
        return vector

    def _vector(self, text: str) -> rules.Vector | None:
        """The query's result as a vector; None when Prometheus cannot answer."""
        sources = self._sources()
        if "prometheus" in sources.outages:
            return None
        try:
            dialect = promql.dialect_of(sources.telemetry.prometheus.version)
            found = promql.query(sources.prometheus, text, self._ground.clock.now, dialect)
        except PromqlError:
            return None
        if isinstance(found, list):
            return [(labels_of(dict(labels)), value) for labels, value in found]
        # jq finds no .result[0].value[1] in a scalar's answer.
        return []

    def _switch_back(self, failure: str, actor: str) -> Life:
        self._switching_back = True
        if self._active != self._start_color:
            self._ground.journal.decision(actor, "switch-back", failure)
            back = rules.Route(self._start_color, self._active)
            yield self._ground.clock.at(self._switch(back), Rank.CONTROLLER)
        self._end(Verdict.ABORTED, f"aborted by a person: {failure}" if actor == "person" else failure)

    def _end(self, verdict: Verdict, reason: str) -> None:
        self.outcome = Outcome(verdict, reason, self._ground.clock.now, self._served_all, self._reported)
        for listener in self.on_change:
            listener()


def patched(vs: VirtualService, strategy: SwitchScript, route: rules.Route) -> VirtualService:
    """The VirtualService after the merge patch: the whole ``http`` list is replaced by the script's three routes (D37)."""
    headers = tuple(
        HttpRoute(
            matches=(HttpMatch(headers=(("x-environment", StringMatch("exact", color)),)),),
            destinations=(RouteDestination(strategy.host_prefix + color),),
        )
        for color in strategy.colors
    )
    default = HttpRoute(
        destinations=(
            RouteDestination(strategy.host_prefix + route.target, weight=100),
            RouteDestination(strategy.host_prefix + route.source, weight=0),
        )
    )
    return replace(vs, http=(*headers, default))
