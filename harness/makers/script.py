"""The playbook's switch script on real objects: its decisions are ``sim.decide.script``'s, everything else is the cluster's."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final

from harness.cluster.objects import Object
from harness.deploy.plan import Plan
from harness.makers import deployments
from harness.monitoring.prometheus import Answer, Prometheus
from harness.site import Site
from scenarios.manifests.build.network import virtual_service
from sim.decide import script as rules
from sim.model.network import VirtualService
from sim.model.outcome import Outcome
from sim.model.pods import labels_of
from sim.model.records import Verdict
from sim.model.strategy import SwitchScript

ROUTED_S: Final = 15.0
"""How long a switch back is waited for where the weights do not change: none of the colours has pods, say."""

Life = Generator[Callable[[], bool], None, None]
"""Yields what it waits for; sent on by ``poll`` once that is true."""


class StoppedError(Exception):
    """A person stopped the script."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Besides the API: whom the script asks, and who tells when proxies have acted."""

    prometheus: Prometheus
    weights: Callable[[], tuple[float, float]]
    """Percent of the traffic of (candidate, stable) that the gateway acts on."""


class ScriptMaker:
    """Runs the script once, step by step as it is polled; people may stop it or toggle afterwards."""

    def __init__(self, site: Site, plan: Plan, strategy: SwitchScript, around: Surroundings) -> None:
        self._site = site
        self._plan = plan
        self._strategy = strategy
        self._around = around
        written = next((one for one in plan.others if _is_route(one, strategy)), None)
        self._route_kind = f"{written['apiVersion']}/VirtualService" if written is not None else ""
        self._start_color = rules.active_color(strategy, rules.default_host(strategy, _typed(written)))
        self._active = self._start_color
        self._idle = rules.switch_route(strategy, self._active).target
        self._life: Life | None = None
        self._awaited: Callable[[], bool] = lambda: True
        self._reported = ""
        """What was last said of a release that serves everybody."""
        self._going_back = self._switched = self._switching_back = self._served_all = False
        self.outcome: Outcome | None = None

    def stand(self) -> None:
        """The active colour runs the stable version; so does the idle one, unless nobody is going to deploy to it."""
        workload = self._plan.workload
        if workload and self._strategy.idle_deployed_by is None:
            workload = deployments.with_template(workload, self._plan.release_template)
        deployments.stand(self._site.objects, self._plan, workload)

    def release(self) -> None:
        """People deploy the idle colour, then run the script."""
        self._site.recorder.decision("person", "start", f"release to {self._idle}")
        self._begin(self._go())

    def poll(self) -> None:
        """Goes on with the script once what it waits for has come about."""
        while self._life is not None and self._awaited():
            self._step(self._life.__next__)

    def waits_for_person(self) -> object | None:
        """Never."""
        return None

    def approve(self) -> None:
        """Nothing waits."""

    def abort(self, reason: str) -> None:
        """A person stops the script and sends the traffic back."""
        self._site.recorder.decision("person", "abort", reason)
        if self._life is not None and not self._switching_back:
            life, stopped = self._life, StoppedError(reason)
            self._step(lambda: life.throw(stopped))

    def undo(self, reason: str) -> None:
        """A person runs ``rollback``."""
        self._site.recorder.decision("person", "undo", reason)
        self._going_back, self.outcome = True, None
        self._begin(self._rollback(Verdict.UNDONE, f"undone by a person: {reason}"))

    def arrive_late(self, reason: str) -> None:
        """A person runs ``rollback`` after the script has switched back by itself: a toggle brings the release back (D44)."""
        route = rules.undo_route(self._strategy, self._active, self._start_color)
        if self.outcome is None or self._active != self._start_color or route.target == self._active:
            return
        if not self._switched:
            return
        self._site.recorder.decision("person", "switch", f"rollback toggles to {route.target}: {reason}")
        self.outcome, self._served_all, self._reported = None, True, rules.TOGGLED
        self._begin(self._rollback(Verdict.PROMOTED, rules.TOGGLED))

    @property
    def going_back(self) -> bool:
        """Whether people are taking the release back."""
        return self._going_back

    @property
    def trouble(self) -> str:
        """A script has no status that anybody watches."""
        return ""

    def stuck(self) -> Outcome:
        """The script never ended."""
        return Outcome(Verdict.STUCK, "the switch script had not ended at the horizon", self._site.recorder.t_s)

    def close(self) -> None:
        """Nothing was started outside of the namespace."""

    def _begin(self, life: Life) -> None:
        self._life = life
        self._step(life.__next__)

    def _step(self, resume: Callable[[], Callable[[], bool]]) -> None:
        try:
            self._awaited = resume()
        except StopIteration:
            self._life = None

    def _go(self) -> Life:
        recorder, actor = self._site.recorder, "script"
        try:
            yield from self._deploy()
            refusal = self._validate()
            if refusal:
                recorder.decision("script", "abort", refusal)
                self._end(Verdict.ABORTED, refusal)
                return
            recorder.decision("script", "switch", f"{self._active} to {self._idle}")
            self._switched = True
            self._switch(rules.switch_route(self._strategy, self._active))
            failure = yield from self._check()
        except StoppedError as stopped:
            actor, failure = "person", str(stopped)
        if failure:
            yield from self._switch_back(failure, actor)
        else:
            self._served_all, self._reported = True, rules.SUCCESS
            recorder.decision("script", "promote", f"switch to {self._idle} completed successfully")
            self._end(Verdict.PROMOTED, f"{rules.SUCCESS}; {self._idle} serves all traffic")

    def _deploy(self) -> Life:
        delay = self._strategy.idle_deployed_by
        if delay is None:
            return
        self._site.recorder.step(0, f"deploy {self._idle}", "started")
        yield self._after(self._site.streams.delay_s("people/deploy", delay))
        if self._plan.workload:
            wanted = deployments.with_template(self._plan.workload, self._plan.release_template)
            generation = self._site.objects.apply(wanted)["metadata"].get("generation", 0)
            yield lambda: self._is_through(generation)
        self._site.recorder.step(0, f"deploy {self._idle}", "completed")

    def _is_through(self, generation: int) -> bool:
        """People wait for the Deployment to be complete, or to have exceeded its progress deadline."""
        found = self._site.objects.watch(deployments.KIND).current().get(self._idle_name)
        if found is None:
            return False
        return deployments.is_complete(found, generation) or bool(deployments.deadline(found, generation)[0])

    @property
    def _idle_name(self) -> str:
        return f"{self._strategy.deployment_prefix}{self._idle}"

    def _validate(self) -> str | None:
        self._site.recorder.step(1, f"validate {self._idle}", "started")
        seen = deployments.counts(self._site.objects, self._idle_name)
        refusal = rules.validate(self._strategy.defects, seen.ready, seen.desired, seen.not_running)
        self._site.recorder.step(1, f"validate {self._idle}", "completed")
        return refusal

    def _switch(self, route: rules.Route) -> None:
        """Patches the VirtualService as the script does: the whole ``http`` list is replaced (D37)."""
        self._active = route.target
        objects, name = self._site.objects, self._strategy.virtual_service
        before = objects.get(self._route_kind, name) if self._route_kind else None
        if before is not None:
            objects.patch(self._route_kind, name, merge_patch(self._strategy, route, port_of(before)))

    def _check(self) -> Generator[Callable[[], bool], None, str]:
        """The first failing check's reason, or ''. The script sleeps after every check, the last one too."""
        strategy = self._strategy
        yield self._after(strategy.first_check_after_s)
        for number in range(strategy.checks):
            errors = self._query("error-rate", strategy.error_query, strategy.error_limit)
            latency = self._query("p99", strategy.latency_query, strategy.latency_limit)
            failure = rules.failure(strategy, errors, latency)
            if failure is not None:
                return f"check {number + 1}: {failure}"
            yield self._after(strategy.interval_s)
        return ""

    def _query(self, metric: str, query: str, limit: float) -> rules.Vector | None:
        """One query's answer, with a row that says what the script made of it."""
        answer = self._around.prometheus.query(rules.query_text(self._strategy, query, self._active))
        vector = vector_of(answer)
        text = rules.value_of(self._strategy.defects, vector)
        phase = "Failed" if rules.is_above(self._strategy.defects, text, limit) else "Successful"
        self._site.recorder.measurement(rules.CHECK_RUN, metric, phase, text)
        return vector

    def _switch_back(self, failure: str, actor: str) -> Life:
        self._switching_back = True
        if self._active != self._start_color:
            self._site.recorder.decision(actor, "switch-back", failure)
            yield self._routed(rules.Route(self._start_color, self._active))
        self._end(Verdict.ABORTED, f"aborted by a person: {failure}" if actor == "person" else failure)

    def _rollback(self, verdict: Verdict, reason: str) -> Life:
        yield self._routed(rules.undo_route(self._strategy, self._active, self._start_color))
        self._going_back = False
        self._end(verdict, reason)

    def _routed(self, route: rules.Route) -> Callable[[], bool]:
        """Switches, and returns what is true once the gateway acts on it."""
        before = self._around.weights()
        self._switch(route)
        late = self._after(ROUTED_S)
        return lambda: self._around.weights() != before or late()

    def _after(self, seconds: float) -> Callable[[], bool]:
        due_s = self._site.recorder.t_s + seconds

        def is_over() -> bool:
            return self._site.recorder.t_s >= due_s

        return is_over

    def _end(self, verdict: Verdict, reason: str) -> None:
        self.outcome = Outcome(verdict, reason, self._site.recorder.t_s, self._served_all, self._reported)


def merge_patch(strategy: SwitchScript, route: rules.Route, port: int | None) -> Object:
    """The script's JSON merge patch: a route by header for each colour, then everything to the target."""

    def to(color: str) -> dict[str, Any]:
        host = {"host": f"{strategy.host_prefix}{color}"}
        return {"destination": host | ({} if port is None else {"port": {"number": port}})}

    by_header = [
        {"match": [{"headers": {"x-environment": {"exact": color}}}], "route": [to(color)]} for color in strategy.colors
    ]
    default = {"route": [to(route.target) | {"weight": 100}, to(route.source) | {"weight": 0}]}
    return {"spec": {"http": [*by_header, default]}}


def port_of(written: Object) -> int | None:
    """The port that the VirtualService's routes name, as the script repeats it; None where they name none."""
    entries = (entry for route in written["spec"].get("http", ()) for entry in route.get("route", ()))
    ports = (entry["destination"].get("port", {}).get("number") for entry in entries)
    return next((port for port in ports if port is not None), None)


def vector_of(answer: Answer) -> rules.Vector | None:
    """What ``jq`` gets to see; None when Prometheus cannot answer.

    It finds no ``.result[0].value[1]`` in a scalar's answer.
    """
    if "error" in answer:
        return None
    if answer.get("resultType") != "vector":
        return []
    return [(labels_of(one["metric"]), float(one["value"][1])) for one in answer["result"]]


def _is_route(obj: Object, strategy: SwitchScript) -> bool:
    return bool(obj["kind"] == "VirtualService" and obj["metadata"]["name"] == strategy.virtual_service)


def _typed(written: Object | None) -> VirtualService | None:
    if written is None:
        return None
    metadata = written["metadata"]
    return virtual_service(written, metadata["name"], metadata.get("namespace", "default"))
