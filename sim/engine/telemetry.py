"""What monitoring collects: Prometheus scrapes and Datadog flushes, each on its own grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.engine.audience import Audience, Seen
from sim.engine.ground import Ground
from sim.engine.lookout import Grid, Lookout
from sim.metrics.datadog import AgentStore
from sim.metrics.exposition import Agent, Scraper
from sim.metrics.pods import PodView
from sim.metrics.providers import Sources
from sim.metrics.readings import Readings
from sim.metrics.store import SeriesStore, to_ms
from sim.traffic import Look, PodSample, Samples, fine


@dataclass(frozen=True, slots=True)
class Eyes:
    """Every query of each provider as one text: what nobody reads is not collected."""

    prometheus: str = ""
    datadog: str = ""


class Collector:
    """Scrapes and flushes. Prometheus scrapes all pods of a run at one phase of its interval, drawn per run."""

    def __init__(self, ground: Ground, lookout: Lookout, audience: Audience) -> None:
        self._ground, self._lookout, self._audience = ground, lookout, audience
        self.prometheus = SeriesStore()
        self.datadog = AgentStore()
        self._outages: list[str] = []
        self._scraped: Grid | None = None
        self.is_read: Callable[[str], bool] = lambda _store: True
        """Whether anybody may still query a store (``prometheus`` or ``datadog``)."""

    def sources(self) -> Sources:
        """What can be queried now."""
        outages = frozenset(self._outages)
        scenario = self._ground.scenario
        return Sources(
            self.prometheus, self.datadog, scenario.telemetry, outages, scenario.release.name, scenario.controller
        )

    def outage(self, provider: str, begins: bool) -> None:
        """A provider is down, or back: while it is down nobody scrapes."""
        if begins:
            self._outages.append(provider)
        elif provider in self._outages:
            self._outages.remove(provider)

    def start(self, eyes: Eyes) -> None:
        """Begins the two grids, at phases from their own stream."""
        generator, now = self._ground.streams.generator("telemetry/phase"), self._ground.clock.now
        scrape_phase, flush_phase = float(generator.random()), float(generator.random())
        telemetry = self._ground.scenario.telemetry
        if eyes.prometheus:
            interval_s = telemetry.prometheus.scrape_interval_s
            grid = Grid(now + scrape_phase * interval_s, interval_s)
            scraper = Scraper(telemetry.prometheus, self.prometheus, eyes.prometheus)
            self._scraped = grid
            self._lookout.add(Scrapes(grid, scraper, self._audience, self._scrapes))
        # Without requests there is nothing to count: agents know no zeros that nobody has asked for.
        if eyes.datadog and not self._ground.plane.is_silent:
            interval_s = telemetry.datadog.flush_interval_s
            grid = Grid(now + flush_phase * interval_s, interval_s)
            agent = Agent(telemetry.datadog, self.datadog, fine.quantiles, eyes.datadog)
            self._lookout.add(Flushes(grid, agent, self._audience, lambda: self.is_read("datadog")))

    def catch_up(self) -> None:
        """Have everything stored that is to be stored by now."""
        self._ground.clock.catch_up()

    def is_scraping(self, now_s: float) -> bool:
        """Whether Prometheus scrapes within this very millisecond, finer than which it does not tell times apart."""
        return self._scraped is not None and self._scraped.is_within(to_ms(now_s))

    def _scrapes(self) -> bool:
        return "prometheus" not in self._outages and self.is_read("prometheus")


class _Looks(ABC):
    """Instants at which somebody reads the pods there are. Whether it ``is_on`` does not change between two things that happen."""

    def __init__(self, grid: Grid, audience: Audience, is_on: Callable[[], bool]) -> None:
        self._grid, self._audience, self._is_on = grid, audience, is_on
        self._asked: list[tuple[Look, Seen]] = []

    @property
    def next_s(self) -> float:
        """See ``lookout.Watch``."""
        return self._grid.next_s

    def looks(self, before_s: float) -> Sequence[Look]:
        """See ``lookout.Watch``."""
        instants_s = self._grid.before(before_s)
        stages = self._audience.seen(instants_s) if self._is_on() else ()
        self._asked = [(self._look(several_s, seen), seen) for several_s, seen in stages]
        return [look for look, _ in self._asked]

    @abstractmethod
    def _look(self, instants_s: tuple[float, ...], seen: Seen) -> Look:
        """What is read of these pods at instants between which they stay the same."""


class Scrapes(_Looks):
    """Prometheus' looks."""

    def __init__(self, grid: Grid, scraper: Scraper, audience: Audience, is_on: Callable[[], bool]) -> None:
        super().__init__(grid, audience, is_on)
        self._scraper = scraper

    def take(self, samples: Sequence[Samples]) -> None:
        """See ``lookout.Watch``."""
        for (look, seen), one in zip(self._asked, samples, strict=True):
            if self._scraper.wants_views:
                self._one_by_one(look, seen, one)
            else:
                times_ms = np.array([to_ms(t_s) for t_s in look.instants_s])
                readings = Readings(times_ms, one.codes, one.answers, one.buckets, one.latency_sum_s)
                self._scraper.scrape_many(seen.views, readings)

    def _look(self, instants_s: tuple[float, ...], seen: Seen) -> Look:
        return Look(instants_s, seen.indices, refused=self._scraper.wants_views)

    def _one_by_one(self, look: Look, seen: Seen, samples: Samples) -> None:
        idle = self._audience.idle(seen)
        for at, t_s in enumerate(look.instants_s):
            views = [
                _filled(self._audience.view(rs, pod), sample)
                for (rs, pod), sample in zip(seen.pods, _samples(samples, at), strict=True)
            ]
            self._scraper.scrape(t_s, views, idle, list(self._refusals(samples.refused[at], samples.buckets.shape[2])))

    def _refusals(self, refused: Mapping[str, int], width: int) -> Iterator[PodView]:
        """What proxies answered in place of a Service's pods, at once."""
        counts: Counter[str] = Counter()
        for cluster, count in refused.items():
            counts[cluster.partition("|")[0]] += count
        for service, count in sorted(counts.items()):
            if count:
                buckets = (count, *(0,) * (width - 1))
                view = PodView(f"refused/{service}", self._audience.namespace, service=service, refusal=True)
                yield replace(view, statuses={503: count}, bucket_counts=buckets)


class Flushes(_Looks):
    """The Datadog agents' looks. They count deltas, so a pod's containers that ended count as well."""

    def __init__(self, grid: Grid, agent: Agent, audience: Audience, is_on: Callable[[], bool]) -> None:
        super().__init__(grid, audience, is_on)
        self._agent = agent

    def take(self, samples: Sequence[Samples]) -> None:
        """See ``lookout.Watch``."""
        for (look, seen), one in zip(self._asked, samples, strict=True):
            for at, t_s in enumerate(look.instants_s):
                now = _samples(one, at)
                views = [
                    _filled(self._audience.view(rs, pod), _total((*pod.past, sample)) if pod.past else sample)
                    for (rs, pod), sample in zip(seen.pods, now, strict=True)
                ]
                self._agent.flush(t_s, views)

    def _look(self, instants_s: tuple[float, ...], seen: Seen) -> Look:
        return Look(instants_s, seen.indices, seen.any_past, fine=True)


def _samples(samples: Samples, at: int) -> list[PodSample]:
    """The pods' samples at one instant."""
    answers, buckets, sums_s = (part[at].tolist() for part in (samples.answers, samples.buckets, samples.latency_sum_s))
    found = []
    for place, counts in enumerate(answers):
        statuses: Counter[int] = Counter()
        for code, count in zip(samples.codes, counts, strict=True):
            if count:
                statuses[code] += count
        histogram = samples.fine[at, place] if samples.fine.shape[2] else None
        found.append(PodSample(dict(statuses), tuple(buckets[place]), sums_s[place], histogram))
    return found


def _filled(view: PodView, sample: PodSample) -> PodView:
    return replace(
        view,
        statuses=sample.statuses,
        bucket_counts=sample.bucket_counts,
        latency_sum_s=sample.latency_sum_s,
        fine_counts=sample.fine,
    )


def _total(samples: tuple[PodSample, ...]) -> PodSample:
    """Several containers of one pod as if they had been one."""
    statuses: Counter[int] = Counter()
    for sample in samples:
        statuses.update(sample.statuses)
    fine = [sample.fine for sample in samples if sample.fine is not None]
    return PodSample(
        statuses=dict(sorted(statuses.items())),
        bucket_counts=tuple(sum(column) for column in zip(*(one.bucket_counts for one in samples), strict=True)),
        latency_sum_s=sum(one.latency_sum_s for one in samples),
        fine=np.sum(fine, axis=0) if fine else None,
    )
