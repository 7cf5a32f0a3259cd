"""From pods to stored series: the Prometheus scrape and the Datadog agent's flush."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sim.metrics import conventions
from sim.metrics.datadog.store import COUNT, GAUGE, AgentStore
from sim.metrics.exporters import FAMILIES, KubeState, Proxies
from sim.metrics.pods import PodView, labels_of
from sim.metrics.readings import Plan, Readings, Target
from sim.metrics.rows import NAME
from sim.metrics.store import Series, SeriesStore, to_ms
from sim.model.telemetry import DatadogTelemetry, PrometheusTelemetry

Quantiles = Callable[[npt.NDArray[np.int64], Sequence[float]], npt.NDArray[np.float64]]
"""(fine histograms, one a row; shares in 0..1) -> seconds, a row each; NaN for empty ones."""

PERCENTILES = ((".99percentile", 0.99), (".95percentile", 0.95), (".median", 0.5), (".max", 1.0))
"""Suffix and quantile of the gauges the agent derives from a DogStatsD histogram."""


class Scraper:
    """Scrapes pods into a series store: counters per status, the latency histogram and ``up``.

    What usual installations expose besides (``conventions``) is made as far as ``queries``, all query texts together,
    name it.

    A status that no request had yet has no counter unless it is preset; the histogram is there from the start. A pod
    that is gone, or whose labels changed, gets stale markers at the next scrape (evaluators reference 1.2, rule 3).
    """

    def __init__(self, telemetry: PrometheusTelemetry, store: SeriesStore, queries: str = "") -> None:
        self._telemetry = telemetry
        self._store = store
        self._targets: dict[str, Target] = {}
        self._named = conventions.words(queries) if telemetry.conventions else frozenset()
        self._proxies = [
            Proxies(family, telemetry.buckets_s, store)
            for family in FAMILIES
            if any(name.startswith((family.requests, family.latency)) for name in self._named)
        ]
        self._kube_state = KubeState(store) if self._named & set(conventions.KUBE_STATE) else None
        self._views: Sequence[PodView] | None = None
        self._plan: Plan | None = None

    @property
    def wants_views(self) -> bool:
        """Whether more is asked for than pods' own counters, so that only ``scrape`` will do."""
        return bool(self._proxies) or self._kube_state is not None

    def scrape_many(self, pods: Sequence[PodView], readings: Readings) -> None:
        """Take samples of every pod at several instants at once; the store is as after ``scrape`` at each of them.

        The pods' views need no counters. It is quickest where the same sequence of them is given again.
        """
        if pods is not self._views:
            self._views, self._plan = pods, None
            self._meet(pods, readings)
        while True:
            if self._plan is None or self._plan.codes != readings.codes:
                self._plan = Plan([self._targets[view.pod] for view in pods], readings.codes)
            if not pods or not self._plan.is_new(readings.answers[-1]).any():
                break
            # A status that turns up on the way has samples from then on.
            first = int(np.argmax(self._plan.is_new(readings.answers).any(axis=(1, 2))))
            self._plan.append(self._store, readings.part(0, first))
            readings, self._plan = readings.part(first), None
            for view, counts in zip(pods, readings.answers[0].tolist(), strict=True):
                answered = [status for status, count in zip(readings.codes, counts, strict=True) if count]
                self._count(self._targets[view.pod], view, answered)
        self._plan.append(self._store, readings)

    def _meet(self, pods: Sequence[PodView], readings: Readings) -> None:
        """Other pods answer than before."""
        t_ms = int(readings.times_ms[0])
        self._part(pods, t_ms)
        for view, counts in zip(pods, readings.answers[0].tolist(), strict=True):
            answered = [status for status, count in zip(readings.codes, counts, strict=True) if count]
            self._count(self._target(view, answered, t_ms), view, answered)

    def _count(self, target: Target, view: PodView, statuses: Iterable[int]) -> None:
        """Begin the counters of statuses that have none."""
        for status in statuses:
            if status not in target.statuses:
                target.statuses[status] = self._status_series(view, status)

    def scrape(
        self,
        t_s: float,
        pods: Sequence[PodView],
        others: Sequence[PodView] = (),
        refusals: Sequence[PodView] = (),
    ) -> None:
        """Take one sample of every pod at ``t_s``.

        ``others`` are pods that answer nothing now, ``refusals`` what proxies answered themselves.
        """
        t_ms = to_ms(t_s)
        for proxies in self._proxies:
            proxies.scrape(t_ms, [*pods, *refusals])
        if self._kube_state is not None:
            self._kube_state.scrape(t_ms, [*pods, *others])
        self._part(pods, t_ms)
        for view in pods:
            self._sample(self._target(view, view.statuses, t_ms), view, t_ms)

    def _part(self, pods: Sequence[PodView], t_ms: int) -> None:
        """Pods that are not seen any more end."""
        gone = self._targets.keys() - {view.pod for view in pods}
        for pod in sorted(gone):
            self._end(self._targets.pop(pod), t_ms)

    def _end(self, target: Target, t_ms: int) -> None:
        for series in target.all():
            series.mark_stale(t_ms)

    def _target(self, view: PodView, statuses: Iterable[int], t_ms: int) -> Target:
        known = self._targets.get(view.pod)
        if known is not None and (known.view is view or known.signature == view.identity):
            return known
        made = self._make(view, statuses)
        if known is not None:
            kept = {id(series) for series in made.all()}
            for series in known.all():
                if id(series) not in kept:
                    series.mark_stale(t_ms)
        self._targets[view.pod] = made
        return made

    def _make(self, view: PodView, statuses: Iterable[int]) -> Target:
        base = self._labels(view)
        name = self._telemetry.duration_metric
        bounds = [*(_bound_text(bound) for bound in self._telemetry.buckets_s), "+Inf"]
        series = self._store.series
        return Target(
            view,
            view.lasting_identity(),
            series({NAME: "up"} | base),
            tuple(series({NAME: f"{name}_bucket"} | base | {"le": bound}) for bound in bounds),
            series({NAME: f"{name}_sum"} | base),
            series({NAME: f"{name}_count"} | base),
            {status: self._status_series(view, status) for status in (*self._telemetry.preset_statuses, *statuses)},
        )

    def _labels(self, view: PodView, status: int | None = None) -> dict[str, str]:
        """The configured labels and, as on every real target, ``instance``: two pods never share a series."""
        configured = self._telemetry.labels
        extra = conventions.extra_sources(configured, self._named, view.labels) if self._named else ()
        return {"instance": view.pod} | labels_of((*configured, *extra), view, status)

    def _status_series(self, view: PodView, status: int) -> Series:
        labels = self._labels(view, status)
        return self._store.series({NAME: self._telemetry.requests_metric} | labels)

    def _sample(self, target: Target, view: PodView, t_ms: int) -> None:
        self._count(target, view, view.statuses)
        running = 0
        for series, count in zip(target.buckets, view.bucket_counts or (0,) * len(target.buckets), strict=True):
            running += count
            series.append(t_ms, running)
        target.up.append(t_ms, 1.0)
        target.total.append(t_ms, view.latency_sum_s)
        target.count.append(t_ms, running)
        self._counters(target, view, t_ms)

    def _counters(self, target: Target, view: PodView, t_ms: int) -> None:
        for series, statuses in target.counters():
            series.append(t_ms, sum(view.statuses.get(status, 0) for status in statuses))


def _bound_text(bound: float) -> str:
    """A bucket bound as Go's client writes it: ``1.0 -> '1'`` (Python's would say ``1.0``)."""
    return f"{bound:g}"


Tags = frozenset[tuple[str, str]]


@dataclass(slots=True)
class _Tags:
    """Tags of one pod under one set of labels, by status (None: of the pod itself)."""

    signature: tuple[object, ...]
    by_status: dict[int | None, Tags] = field(default_factory=dict)


class Agent:
    """The Datadog agent beside every pod: turns what happened since its last flush into count and gauge points.

    Counters of a tag set that fell silent are flushed as 0 for ``expiry_s`` more seconds; a histogram without a
    sample flushes nothing. A point carries the time its flush interval began. Latency metrics are sent only where
    ``queries`` (all query texts together; None: any) names them, for they cost more than everything else here.
    """

    def __init__(
        self,
        telemetry: DatadogTelemetry,
        store: AgentStore,
        quantiles: Quantiles | None = None,
        queries: str | None = None,
    ) -> None:
        self._telemetry = telemetry
        self._store = store
        self._quantiles = quantiles
        self._queries = queries
        self._wanted = [(telemetry.duration_metric + suffix, q) for suffix, q in PERCENTILES if self._is_wanted(suffix)]
        self._last: dict[str, PodView] = {}
        self._tags: dict[str, _Tags] = {}
        self._alive_until: dict[tuple[str, Tags], float] = {}

    def flush(self, t_s: float, pods: Sequence[PodView]) -> None:
        """Send the deltas of every pod at ``t_s``; what a pod did after its last flush is lost with it."""
        self._tags = {view.pod: self._tags_of(view) for view in pods}
        answered = []
        for view in pods:
            before = self._last.get(view.pod)
            self._counts(t_s, view, before)
            count = view.answers - (before.answers if before else 0)
            if count > 0:
                self._averages(t_s, view, before, count)
                answered.append((view, before))
        self._percentiles(t_s, [pair for pair in answered if pair[0].fine_counts is not None])
        self._last = {view.pod: view for view in pods}
        self._alive_until = {
            key: until for key, until in self._alive_until.items() if until > t_s and key[0] in self._last
        }

    def _is_wanted(self, suffix: str) -> bool:
        return self._queries is None or self._telemetry.duration_metric + suffix in self._queries

    def _tags_of(self, view: PodView) -> _Tags:
        """Tags change only with the pod's own labels, so they are worked out once for each set of these."""
        known = self._tags.get(view.pod)
        return known if known is not None and known.signature == view.identity else _Tags(view.lasting_identity())

    def _tagged(self, view: PodView, status: int | None) -> Tags:
        by_status = self._tags[view.pod].by_status
        if status not in by_status:
            by_status[status] = frozenset(labels_of(self._telemetry.tags, view, status).items())
        return by_status[status]

    def _counts(self, t_s: float, view: PodView, before: PodView | None) -> None:
        deltas: dict[Tags, int] = {}
        for status, count in view.statuses.items():
            tags = self._tagged(view, status)
            earlier = before.statuses.get(status, 0) if before else 0
            deltas[tags] = deltas.get(tags, 0) + count - earlier
        for tags, delta in deltas.items():
            key = (view.pod, tags)
            if delta > 0:
                self._alive_until[key] = t_s + self._telemetry.expiry_s
            if t_s < self._alive_until.get(key, t_s):
                self._send(t_s, (self._telemetry.requests_metric, view.pod, dict(tags)), COUNT, float(delta))

    def _averages(self, t_s: float, view: PodView, before: PodView | None, count: int) -> None:
        tags = dict(self._tagged(view, None))
        total_s = view.latency_sum_s - (before.latency_sum_s if before else 0.0)
        sums = ((COUNT, ".count", float(count)), (GAUGE, ".avg", total_s / count / self._telemetry.duration_unit_s))
        for kind, suffix, value in sums:
            if self._is_wanted(suffix):
                self._send(t_s, (self._telemetry.duration_metric + suffix, view.pod, tags), kind, value)

    def _percentiles(self, t_s: float, answered: Sequence[tuple[PodView, PodView | None]]) -> None:
        """All pods at once: one pass over their histograms is many times faster than one pass each."""
        if self._quantiles is None or not answered or not self._wanted:
            return
        fine = np.array([_fine_delta(view, before) for view, before in answered])
        found = self._quantiles(fine, [share for _, share in self._wanted]) / self._telemetry.duration_unit_s
        for (view, _), row in zip(answered, found.tolist(), strict=True):
            tags = dict(self._tagged(view, None))
            for (metric, _), value in zip(self._wanted, row, strict=True):
                self._send(t_s, (metric, view.pod, tags), GAUGE, value)

    def _send(self, t_s: float, series: tuple[str, str, Mapping[str, str]], kind: str, value: float) -> None:
        metric, host, tags = series
        start_s = t_s - self._telemetry.flush_interval_s
        self._store.append(metric, tags, start_s, value, kind=kind, host=host, seen_s=t_s + self._telemetry.lag_s)


def _fine_delta(view: PodView, before: PodView | None) -> npt.NDArray[np.int64]:
    """What was added to a pod's fine histogram since its last flush."""
    counts: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64) if view.fine_counts is None else view.fine_counts
    return counts if before is None or before.fine_counts is None else counts - before.fine_counts
