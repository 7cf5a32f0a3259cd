"""One sample of one metric: asked of the real Prometheus, or of the scenario's script where there is no real provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from harness.monitoring.prometheus import Answer, Prometheus
from harness.recorder import Recorder
from sim.decide.analysis import Task
from sim.metrics import answers, judging, providers, results, scripts
from sim.metrics.rangequery import RangeError, range_of
from sim.metrics.scripts import Origin
from sim.model.analysis import Measurement, OtherProvider, PrometheusProvider, Provider, ProviderResult
from sim.model.behaviour import Fault, ProviderOutage
from sim.model.changing import replace
from sim.model.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider said, and when it had said it. ``answer`` is yet to be read."""

    result: ProviderResult | None
    answer: Answer
    ended_s: float


@dataclass(frozen=True, slots=True)
class Asking:
    """Whoever answers for the metric providers of one run.

    ``question`` and ``measured`` belong to the run's thread; only the question itself, which may take its time, to another.
    """

    scenario: Scenario
    recorder: Recorder
    prometheus: Prometheus

    def question(self, task: Task, origin: Origin, begun_s: float) -> Callable[[], Reply]:
        """Asks the metric's provider when called."""
        provider, now_s = task.metric.provider, self.recorder.t_s
        if isinstance(provider, PrometheusProvider) and not task.terminate:
            return self._query(provider, now_s)
        said = None if task.terminate else self._scripted(provider, origin, begun_s, now_s)
        return partial(Reply, said, {}, now_s)

    def measured(self, task: Task, reply: Reply, begun_s: float) -> Measurement:
        """The sample that the reply makes, with its times."""
        one = self._judged(task, reply, begun_s)
        return replace(one, started_s=begun_s, finished_s=reply.ended_s if one.phase.is_completed else None)

    def turns_s(self, origin: Origin, now_s: float, begun_s: float) -> float | None:
        """When the scripted answer to a measurement that began at ``begun_s`` may next be another one."""
        signals = scripts.fitting(self.scenario.telemetry.signals, origin, self.scenario.release.name)
        return scripts.turns_s(signals, now_s, begun_s)

    def _judged(self, task: Task, reply: Reply, begun_s: float) -> Measurement:
        if task.terminate:
            return Measurement(task.ends_as, message="Metric Terminated")
        result = reply.result or answers.prometheus(reply.answer, {})
        since_s = begun_s if task.resume else None
        return judging.judged(task.metric, result, self.recorder.t_s, self.scenario.controller, since_s)

    def _query(self, provider: PrometheusProvider, now_s: float) -> Callable[[], Reply]:
        if not (provider.address or self.scenario.telemetry.prometheus.attached_address):
            return partial(Reply, results.error("prometheus address is not configured"), {}, now_s)
        try:
            ask = self._request(provider, self.recorder.applied_at + now_s)
        except RangeError as problem:
            return partial(Reply, results.error(str(problem)), {}, now_s)
        return lambda: Reply(None, ask(), self.recorder.t_s)

    def _request(self, provider: PrometheusProvider, at_unix_s: float) -> Callable[[], Answer]:
        prometheus, query, timeout_s = self.prometheus, provider.query, provider.timeout_s
        if provider.range_query is None:
            return partial(prometheus.query, query, at_unix_s, timeout_s=timeout_s)
        return partial(prometheus.query_range, query, *range_of(provider.range_query, at_unix_s), timeout_s=timeout_s)

    def _scripted(self, provider: Provider, origin: Origin, begun_s: float, now_s: float) -> ProviderResult:
        kind = providers.kind_of(provider)
        # Datadog was refused before the run began (``harness.makers.support``).
        scripted = cast(OtherProvider, provider)
        if any(_is_out(fault, kind, now_s) for fault in self.scenario.faults):
            return results.error(f"{kind}: connection refused")
        signals = scripts.fitting(self.scenario.telemetry.signals, origin, self.scenario.release.name)
        return scripts.scripted(scripted, now_s, begun_s, signals)


def _is_out(fault: Fault, kind: str, now_s: float) -> bool:
    """Whether a scripted provider is down: nobody can stop it on a cluster, so the fault's own times say so."""
    effect, trigger = fault.effect, fault.trigger
    if not isinstance(effect, ProviderOutage) or effect.provider != kind:
        return False
    end_s = None if trigger.duration_s is None else trigger.start_s + trigger.duration_s
    return trigger.start_s <= now_s and (end_s is None or now_s < end_s)
