"""Eyes on the data plane: journal samples, Prometheus scrapes and Datadog flushes, each on its own grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sim.engine.clock import Rank
from sim.engine.ground import Ground
from sim.engine.pods import Pod
from sim.engine.replicasets import ReplicaSet
from sim.engine.revision import GROUPS
from sim.metrics.datadog import AgentStore
from sim.metrics.exposition import Agent, Scraper
from sim.metrics.pods import PodView
from sim.metrics.providers import Sources
from sim.metrics.store import SeriesStore
from sim.model.pods import Labels
from sim.model.records import TrafficRecord
from sim.traffic import PodSample, WindowCount, fine


@dataclass(frozen=True, slots=True)
class Eyes:
    """Every query of each provider as one text: what nobody reads is not collected."""

    prometheus: str = ""
    datadog: str = ""


class Sampler:
    """Writes a traffic row per side every sample interval and hands the windows to whoever watches clients."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._interval_s = ground.scenario.telemetry.sample_interval_s
        self._last_s = ground.clock.now
        self.before_window: list[Callable[[], None]] = []
        self.on_window: list[Callable[[float, tuple[WindowCount, ...]], None]] = []
        self._next = ground.clock.call_after(self._interval_s, Rank.SAMPLER, self._sample)

    def finish(self) -> None:
        """Takes the last, possibly shorter, window."""
        self._next.cancel()
        if self._ground.clock.now > self._last_s:
            self._take()

    def _sample(self) -> None:
        self._take()
        if self._ground.plane.is_silent and not self.before_window:
            # Every window will be empty, and nobody waits for the tick.
            return
        self._next = self._ground.clock.call_after(self._interval_s, Rank.SAMPLER, self._sample)

    def _take(self) -> None:
        now = self._ground.clock.now
        width_s, self._last_s = now - self._last_s, now
        for listener in self.before_window:
            listener()
        window = self._ground.traffic.take_window()
        journal = self._ground.journal
        for one in window:
            side = GROUPS[one.group] if one.group >= 0 else "none"
            counts = (one.statuses, one.latency_counts, one.latency_sum_s)
            clients = (one.client_requests, one.client_failures, one.timeouts, one.retries)
            if one.client_requests or one.statuses or one.timeouts or one.retries:
                journal.add(TrafficRecord(journal.t_s, journal.region, round(width_s, 6), side, *counts, *clients))
        for listener_of_windows in self.on_window:
            listener_of_windows(now, window)


class Addresses(Protocol):
    """By which names clients reach pods."""

    def service_of(self, labels: Labels) -> str:
        """The Service that leads clients to pods with these labels, '' if none does."""

    def ingress_of(self, service: str) -> str:
        """The Ingress that sends to a Service, '' if none does."""


class Collector:
    """Scrapes and flushes. Prometheus scrapes all pods of a run at one phase of its interval, drawn per run."""

    def __init__(
        self, ground: Ground, owners: Callable[[], list[ReplicaSet]], namespace: str, address: Addresses
    ) -> None:
        self._ground = ground
        self._owners = owners
        self._namespace = namespace
        self._address = address
        telemetry = ground.scenario.telemetry
        self.prometheus = SeriesStore()
        self.datadog = AgentStore()
        self._scraper = Scraper(telemetry.prometheus, self.prometheus)
        self._agent = Agent(telemetry.datadog, self.datadog)
        self._outages: list[str] = []
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
        self._ground.watch.outage(provider, self._ground.clock.now, begins=begins)
        if begins:
            self._outages.append(provider)
        elif provider in self._outages:
            self._outages.remove(provider)

    def start(self, eyes: Eyes) -> None:
        """Begins the two grids, at phases from their own stream."""
        generator = self._ground.streams.generator("telemetry/phase")
        scrape_phase, flush_phase = float(generator.random()), float(generator.random())
        telemetry = self._ground.scenario.telemetry
        self._agent = Agent(telemetry.datadog, self.datadog, fine.quantiles, eyes.datadog)
        self._scraper = Scraper(telemetry.prometheus, self.prometheus, eyes.prometheus)
        if eyes.prometheus:
            self._every(telemetry.prometheus.scrape_interval_s, scrape_phase, self._scrape)
        if eyes.datadog:
            self._every(telemetry.datadog.flush_interval_s, flush_phase, self._flush)

    def _every(self, interval_s: float, phase: float, action: Callable[[], None]) -> None:
        clock = self._ground.clock
        begun_s = clock.now + phase * interval_s

        def tick(count: int) -> None:
            action()
            clock.call_at(begun_s + (count + 1) * interval_s, Rank.SAMPLER, lambda: tick(count + 1))

        clock.call_at(begun_s, Rank.SAMPLER, lambda: tick(0))

    def _scrape(self) -> None:
        if "prometheus" not in self._outages and self.is_read("prometheus"):
            answering = [self._view(rs, pod) for rs, pod in self._targets()]
            idle = [self._still(rs, pod) for rs, pod in self._idle()]
            self._scraper.scrape(self._ground.clock.now, answering, idle, list(self._refusals()))

    def _refusals(self) -> Iterator[PodView]:
        """What proxies answered in place of a Service's pods, at once."""
        counts: Counter[str] = Counter()
        for cluster, count in self._ground.traffic.refused().items():
            counts[cluster.partition("|")[0]] += count
        width = len(self._ground.scenario.telemetry.prometheus.buckets_s)
        for service, count in sorted(counts.items()):
            if count:
                buckets = (count, *(0,) * width)
                view = PodView(f"refused/{service}", self._namespace, service=service, refusal=True)
                yield replace(view, statuses={503: count}, bucket_counts=buckets)

    def _flush(self) -> None:
        # Without requests there is nothing to count: agents know no zeros that nobody has asked for.
        if not self._ground.plane.is_silent and self.is_read("datadog"):
            views = [self._view(rs, pod, tuple(pod.past), fine=True) for rs, pod in self._targets()]
            self._agent.flush(self._ground.clock.now, views)

    def _targets(self) -> Iterator[tuple[ReplicaSet, Pod]]:
        for rs in self._owners():
            for pod in rs.pods:
                if pod.is_up and pod.index is not None:
                    yield rs, pod

    def _idle(self) -> Iterator[tuple[ReplicaSet, Pod]]:
        """Pods that answer nothing now, though they exist."""
        for rs in self._owners():
            for pod in rs.pods:
                if not (pod.is_up and pod.index is not None) and not pod.gone:
                    yield rs, pod

    def _still(self, rs: ReplicaSet, pod: Pod) -> PodView:
        return replace(self._bare(rs, pod), ready=False)

    def _bare(self, rs: ReplicaSet, pod: Pod) -> PodView:
        """Who the pod is, without what it did."""
        workload = rs.name.removesuffix(f"-{pod.revision.hash}")
        service = self._address.service_of(rs.labels())
        return PodView(
            pod=pod.name,
            namespace=self._namespace,
            labels=rs.label_map(),
            annotations=rs.annotation_map(),
            env=rs.env_map,
            version=pod.revision.behaviour.name,
            hash=pod.revision.hash,
            workload=workload,
            owner=rs.name,
            service=service,
            ingress=self._address.ingress_of(service),
            container=pod.revision.template.container,
            restarts=len(pod.past),
            ready=pod.ready_s is not None,
        )

    def _view(self, rs: ReplicaSet, pod: Pod, past: tuple[PodSample, ...] = (), *, fine: bool = False) -> PodView:
        plane = self._ground.traffic
        sample = (
            plane.pod_sample(pod.index, buckets=not fine or bool(past), fine=fine)
            if pod.index is not None
            else past[-1]
        )
        if past and pod.index is not None:
            sample = _total((*past, sample))
        return replace(
            self._bare(rs, pod),
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
