"""One region's run on a stage that stands: load, release, people and faults, and the rows of all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

from harness import watching
from harness.faults import FaultEngine, View
from harness.faults.network import Network, is_of_the_network
from harness.faults.nodes import nodes_of
from harness.faults.telling import Teller
from harness.load.achieved import Achieved, achieved
from harness.load.generator import Load
from harness.load.plan import plan_of
from harness.load.rows import LAG_S, Watch, Windows
from harness.makers.argo import ArgoMaker
from harness.makers.operations import Operations
from harness.makers.twin import TwinMaker
from harness.people import OnCall
from harness.run import POLL_S, Cast, Pace, Polled, play
from harness.stage import Stage
from sim.decide.claims import judged
from sim.decide.rejections import Rejection
from sim.model.outcome import Outcome
from sim.model.records import Record, TrafficRecord, WeightRecord

_TELLERS: Final = 4
"""Pods that are told of faults at once."""


@dataclass(frozen=True, slots=True)
class Performance:
    """One region's outcome and rows; times from its own apply."""

    outcome: Outcome
    end_s: float
    desired_pods: int
    """Wanted outside of releases."""
    rows: tuple[Record, ...]
    load: Achieved
    adaptations: tuple[str, ...] = ()
    """How faults were done otherwise than in the twin, one sentence each."""


def perform(
    stage: Stage,
    seed: int,
    refused: Rejection | None = None,
    watch_s: float = 0.0,
    *,
    network_delay: bool = False,
) -> Performance:
    """Sends the load, applies the release after the warm-up, and looks on until the run is over.

    ``watch_s`` is how long beyond the horizon a promoted release is still watched. LoadError if the load generator fails.
    """
    site, maker = stage.site, stage.maker
    scenario, recorder = site.loaded.scenario, site.recorder
    with _faults(stage, network_delay=network_delay) as faults, Load(site.folder / "load") as load:
        plan = plan_of(scenario, seed, share=site.share, region=site.region, watch_s=watch_s)
        applied_at = load.start(str(stage.gateway.address), plan) + scenario.warm_up_s
        recorder.begin(applied_at)
        recorder.add(WeightRecord(-scenario.warm_up_s, site.region, *stage.gateway.weights()))
        watching.watch(site.objects, recorder)
        windows = _windows(stage, applied_at)
        watch = Watch(windows)

        def closed() -> list[tuple[float, tuple[TrafficRecord, ...]]]:
            watch.add(load.tail())
            return list(watch.closed(recorder.t_s))

        people = OnCall(site, maker, closed, scenario.horizon_s + watch_s)
        others: tuple[Polled, ...] = (faults, people, *_operations(stage))
        cast = Cast(scenario, recorder, maker, others, refused, watch_s=watch_s, hearing_s=LAG_S + POLL_S)
        end = play(cast, applied_at, Pace())
        faults.close()
        load.stop()
        attempts = load.attempts()
    rows = [*recorder.rows(), *windows.rows(attempts, end.end_s)]
    outcome = judged(end.outcome, people.failing)
    told = achieved(attempts, plan, applied_at, applied_at + end.end_s)
    ordered = tuple(sorted(rows, key=lambda row: row.t_s))
    return Performance(outcome, end.end_s, stage.desired_pods, ordered, told, faults.adaptations)


def _operations(stage: Stage) -> Iterator[Operations]:
    """People who do something at set times, which only a Rollout's scenario has."""
    if isinstance(stage.maker, TwinMaker | ArgoMaker):
        yield Operations(stage.site.loaded.scenario, stage.site.recorder, stage.maker)


@contextmanager
def _faults(stage: Stage, *, network_delay: bool) -> Iterator[FaultEngine]:
    """MissingError where this machine cannot do what a fault says."""
    site, server = stage.site, stage.server
    scenario = site.loaded.scenario

    def outage(provider: str, begins: bool) -> None:
        if provider == "prometheus":
            (server.stop if begins else server.start)()

    with ThreadPoolExecutor(_TELLERS, thread_name_prefix="faults") as executor:
        teller = Teller(site.objects, executor, time.monotonic)
        nodes = nodes_of(site.objects, site.streams, scenario.cluster.nodes)
        wanted = network_delay and any(is_of_the_network(fault) for fault in scenario.faults)
        network = Network.of(site.objects, executor) if wanted else None
        with closing(FaultEngine(site, View(teller, nodes, stage.gateway.weights, outage, network))) as engine:
            yield engine


def _windows(stage: Stage, applied_at: float) -> Windows:
    scenario = stage.site.loaded.scenario
    telemetry = scenario.telemetry
    buckets_s = telemetry.prometheus.buckets_s
    return Windows(applied_at, scenario.warm_up_s, telemetry.sample_interval_s, buckets_s, stage.site.region)
