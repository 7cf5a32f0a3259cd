"""Where a scenario runs: the twin or a cluster, one contract for both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Protocol

from harness import missing
from harness.choices import Choices, Conditions
from harness.cluster import context, kind
from harness.cluster.cluster import Cluster
from harness.cluster.commands import CommandError
from harness.cluster.connection import ApiError, LostError
from harness.cluster.context import context_cluster
from harness.cluster.dump import dump
from harness.cluster.fleet import Fleet
from harness.cluster.kind import KindSettings, kind_cluster
from harness.cluster.namespace import run_namespace
from harness.cluster.objects import Objects
from harness.conditions import conditions
from harness.gateway.proxy import ProxyError
from harness.images import Images, PinError
from harness.load.generator import LoadError
from harness.makers.geographic import Tour, Visit
from harness.perform import Performance, perform
from harness.recorder import Recorder
from harness.site import Site
from harness.stage import Stage, staged
from harness.waiting import WaitError
from scenarios.document import Loaded
from sim import study
from sim.decide.rejections import Rejection, geographic_rejection, rejection
from sim.model.header import header
from sim.model.outcome import LocalResult
from sim.model.records import EndRecord, RunResult
from sim.model.strategy import Geographic, LocalStrategy
from sim.streams import RegionStreams, Streams

FAILURES = (WaitError, CommandError, ApiError, LostError, LoadError, ProxyError)
"""Of a cluster that never came to stand, or a run that never came about, though nothing is missing."""


class Backend(Protocol):
    """One replication of a scenario: the same rows, whatever runs it."""

    name: str
    """As the journal's header says it."""

    def run(self, loaded: Loaded, seed: int) -> RunResult:
        """The journal of one replication and its verdict.

        A release that fails is data; MissingError says what the environment lacks, WaitError what never came about.
        """
        ...


class TwinBackend:
    """The simulation."""

    name = "twin"

    def run(self, loaded: Loaded, seed: int) -> RunResult:
        """See ``Backend.run``; the same (scenario, seed) gives the same bytes."""
        return study.run_once(loaded.scenario, seed)


class ClusterSide(Backend, Protocol):
    """A cluster that stands ready for runs, one after the other."""

    def conditions(self) -> Conditions:
        """What runs are made with and on; of a run, once it is over."""
        ...


@dataclass(frozen=True, slots=True)
class _Turn:
    """One region's run, or the whole run where there are no regions."""

    loaded: Loaded
    strategy: LocalStrategy
    streams: Streams
    seed: int
    refused: Rejection | None
    region: str = ""
    share: float = 1.0
    watch_s: float = 0.0


class ClusterBackend:
    """A cluster that stands; every run has a namespace of its own."""

    name = "cluster"

    def __init__(self, fleet: Fleet, images: Images, choices: Choices) -> None:
        self._fleet, self._images, self._choices = fleet, images, choices
        self._numbers = count(1)
        self._conditions = Conditions()

    def run(self, loaded: Loaded, seed: int) -> RunResult:
        """See ``Backend.run``; what a run leaves behind besides its journal is in a folder of its own."""
        scenario, strategy = loaded.scenario, loaded.scenario.strategy
        if isinstance(strategy, Geographic):
            played = self._toured(loaded, strategy, seed)
        else:
            refused = rejection(scenario, strategy)
            ran = self._ran(_Turn(loaded, strategy, Streams(seed), seed, refused), self._fleet.first)
            played = LocalResult(ran.outcome, ran.end_s, ran.desired_pods, ran.rows)
        first = header(scenario, seed, loaded.hash, self.name, played.desired_pods)
        # A tour adds its regions' times up; a cluster's are kept to the millisecond.
        outcome = replace(played.outcome, ended_s=round(played.outcome.ended_s, 3))
        end = EndRecord(round(played.end_s, 3), outcome.verdict, outcome.reason, outcome.ended_s)
        journal = (first, *played.rows, end)
        return RunResult(loaded.hash, seed, outcome.verdict, outcome.reason, outcome.ended_s, journal)

    def conditions(self) -> Conditions:
        """See ``ClusterSide``."""
        return self._conditions

    def _toured(self, loaded: Loaded, strategy: Geographic, seed: int) -> LocalResult:
        """Every region in its turn, as in the twin; each has a namespace and streams of its own."""
        scenario, inner = loaded.scenario, strategy.inner
        refused = geographic_rejection(scenario, strategy) or rejection(scenario, inner)

        def run_region(visit: Visit) -> LocalResult:
            region = visit.region
            streams = RegionStreams(seed, region.name)
            turn = _Turn(loaded, inner, streams, seed, refused, region.name, region.share, visit.phase.soak_s)
            ran = self._ran(turn, self._fleet.at(visit.cluster))
            return LocalResult(ran.outcome, ran.end_s, ran.desired_pods, ran.rows)

        tour = Tour(scenario, strategy, self._fleet.size, run_region)
        played = tour.run(refused)
        self._conditions = replace(self._conditions, adaptations=(*self._conditions.adaptations, *tour.adaptations))
        return played

    def _ran(self, turn: _Turn, cluster: Cluster) -> Performance:
        scenario = turn.loaded.scenario
        name = "-".join(filter(None, (scenario.name, turn.region, scenario.release.name)))
        folder = self._folder(f"{next(self._numbers):02d}-{name}-{turn.seed}")
        # One region's run is that of its own strategy.
        loaded = replace(turn.loaded, scenario=replace(scenario, strategy=turn.strategy))
        with run_namespace(cluster, name, keep=self._choices.keep_cluster) as objects:
            recorder = Recorder(region=turn.region)
            site = Site(cluster, objects, recorder, loaded, turn.streams, folder, turn.region, turn.share)
            return self._played(site, turn, objects)

    def _played(self, site: Site, turn: _Turn, objects: Objects) -> Performance:
        try:
            with staged(site, turn.strategy, self._images, self._choices) as stage:
                self._conditions = conditions(stage, self._images)
                _note(stage)
                played = self._performed(stage, turn)
                self._conditions = _with_run(self._conditions, played)
                return played
        except (WaitError, LoadError, ProxyError) as error:
            error.add_note(dump(site.cluster, objects, site.folder))
            raise

    def _performed(self, stage: Stage, turn: _Turn) -> Performance:
        by_network = self._choices.network_delay
        return perform(stage, turn.seed, turn.refused, turn.watch_s, network_delay=by_network)

    def _folder(self, name: str) -> Path:
        folder = self._choices.folder / name.replace("/", "_")
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def check(choices: Choices) -> None:
    """Nothing, if this machine has what the choices take; MissingError with all that it lacks, before anything is made."""
    locust = missing.package("locust", "it sends the traffic")
    place = context.requirements() if choices.context else kind.requirements()
    missing.need(*dict.fromkeys((missing.docker(), *place, locust)))
    try:
        Images(choices.images)
    except PinError as error:
        raise missing.Missing("a usable list of images", str(error), "See harness/images.yaml.").error() from error


@contextmanager
def on_cluster(choices: Choices) -> Iterator[ClusterBackend]:
    """The cluster chosen, made if need be and taken down at the end; MissingError with all that is not there."""
    check(choices)
    images = Images(choices.images)
    if choices.context:
        with context_cluster(choices.context) as cluster, Fleet(cluster) as fleet:
            yield ClusterBackend(fleet, images, choices)
        return
    node = images.wanted("kind-node")
    settings = KindSettings.of_environment(node, choices.kind_cluster, keep=choices.keep_cluster)
    with kind_cluster(settings) as made:

        def another() -> AbstractContextManager[Cluster]:
            return kind_cluster(replace(settings, name=f"{made.name}-2"))

        with Fleet(made, another) as fleet:
            yield ClusterBackend(fleet, images, choices)


def _with_run(known: Conditions, played: Performance) -> Conditions:
    """What the load came to belongs to what a run was made with, and is stated where it was another than planned.

    So are faults that were done otherwise than in the twin.
    """
    load = played.load
    said = (*(f"load: {problem}" for problem in load.problems), *(f"faults: {one}" for one in played.adaptations))
    return replace(known, machine=(*known.machine, ("load", str(load))), adaptations=(*known.adaptations, *said))


def _note(stage: Stage) -> None:
    """What a reader of the run's folder has to know."""
    told = {"controller": stage.controller, "adaptations": stage.adaptations}
    (stage.site.folder / "stage.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
