"""Which pods' answers a selector takes: tried on the series that the simulated monitoring itself makes of a pod.

One pod of each version is scraped, status by status; what a selector finds is what it counts. So labels, conventions
(Istio's metrics, relabelled pod labels) and Datadog's tags are those of a run, whatever the query's author calls them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from sim.decide.standing import role_metadata
from sim.metrics.datadog.parse import MetricQuery
from sim.metrics.datadog.store import AgentStore
from sim.metrics.exposition import Agent, Scraper
from sim.metrics.pods import PodView
from sim.metrics.promql.nodes import PromqlError, Selector
from sim.metrics.promql.selectors import test_of
from sim.metrics.store import SeriesStore
from sim.model.rollout import RolloutSpec
from sim.model.scenario import Scenario
from sim.timetable.runs import NEW, OLD

STATUSES = (200, 201, 204, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503, 504)
"""Tried one by one; every selector of a class or a range takes some of them."""
CANARY, STABLE = "canary", "stable"


@dataclass(frozen=True)
class Taken:
    """What a selector counts: of which versions, which statuses."""

    sides: frozenset[str]
    statuses: frozenset[int]

    @property
    def is_all(self) -> bool:
        """Whether the status plays no part."""
        return self.statuses == frozenset(STATUSES)

    @property
    def is_good(self) -> bool:
        """Whether it leaves out errors only."""
        return 200 in self.statuses and not {500, 502, 503, 504} & self.statuses

    @property
    def is_bad(self) -> bool:
        """Whether it takes errors only."""
        return bool(self.statuses) and min(self.statuses) >= 400


@dataclass(frozen=True)
class Probe:
    """One pod of each version of a Rollout, as monitoring sees them."""

    scenario: Scenario
    spec: RolloutSpec
    queries: str = ""
    """All query texts together: conventions are made as far as these name them."""

    def prometheus(self, selector: Selector) -> Taken:
        """What a PromQL selector takes."""
        try:
            tests = [(matcher.name, test_of(matcher)) for matcher in selector.matchers]
        except PromqlError:
            return Taken(frozenset(), frozenset())

        def taken(store: SeriesStore) -> bool:
            found = store.select(selector.name, "probe", lambda _: True).rows.labels
            return any(all(test(labels.get(name, "")) for name, test in tests) for labels in found)

        hits = [(side, status) for side, status, store in self._scraped if taken(store)]
        return Taken(frozenset(side for side, _ in hits), frozenset(status for _, status in hits))

    def is_count(self, query: MetricQuery) -> bool:
        """Whether it sums up the counts of requests, over the pods and over time."""
        name = self.scenario.telemetry.datadog.requests_metric
        return query.metric == name and query.space == "sum" and not query.by and query.rollup[0] in {"", "sum"}

    def datadog(self, query: MetricQuery) -> Taken:
        """What a Datadog metric query takes."""
        hits = [
            (side, status)
            for side, status, store in self._flushed
            if any(query.filter.accepts(series.tags) for series in store.series(query.metric))
        ]
        return Taken(frozenset(side for side, _ in hits), frozenset(status for _, status in hits))

    @cached_property
    def _scraped(self) -> tuple[tuple[str, int, SeriesStore], ...]:
        found = []
        for side, status, view in self._views():
            store = SeriesStore()
            Scraper(replace(self.scenario.telemetry.prometheus, preset_statuses=()), store, self.queries).scrape(
                0.0, [view]
            )
            found.append((side, status, store))
        return tuple(found)

    @cached_property
    def _flushed(self) -> tuple[tuple[str, int, AgentStore], ...]:
        found = []
        for side, status, view in self._views():
            store = AgentStore()
            Agent(self.scenario.telemetry.datadog, store).flush(0.0, [view])
            found.append((side, status, store))
        return tuple(found)

    def _views(self) -> tuple[tuple[str, int, PodView], ...]:
        width = len(self.scenario.telemetry.prometheus.buckets_s) + 1
        return tuple(
            (side, status, replace(view, statuses={status: 1}, bucket_counts=(1, *(0,) * (width - 1))))
            for side, view in ((CANARY, self._view(NEW)), (STABLE, self._view(OLD)))
            for status in STATUSES
        )

    def _view(self, pod_hash: str) -> PodView:
        spec, template = self.spec, self.spec.template
        stable_role, canary_role = role_metadata(spec)
        role = canary_role if pod_hash == NEW else stable_role
        labels = dict(template.labels) | dict(role.labels if role else ()) | {"rollouts-pod-template-hash": pod_hash}
        behaviour = self.scenario.release.behaviour if pod_hash == NEW else self.scenario.stable
        return PodView(
            pod=f"{spec.name}-{pod_hash}-0",
            namespace=spec.namespace,
            labels=labels,
            annotations=dict(template.annotations) | dict(role.annotations if role else ()),
            env=dict(template.env),
            version=behaviour.name,
            hash=pod_hash,
            workload=spec.name,
            owner=f"{spec.name}-{pod_hash}",
            service=self._service(pod_hash),
            container=template.container,
        )

    def _service(self, pod_hash: str) -> str:
        canary, blue_green = self.spec.canary, self.spec.blue_green
        if blue_green is not None:
            return (blue_green.preview_service if pod_hash == NEW else blue_green.active_service) or ""
        if canary is None:
            return ""
        return (canary.canary_service if pod_hash == NEW else canary.stable_service) or self.spec.name
