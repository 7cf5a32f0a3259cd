"""Where a scenario runs: the twin or a cluster, one contract for both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

from harness.choices import Choices, Conditions
from harness.cluster.cluster import Cluster
from harness.cluster.context import context_cluster
from harness.cluster.dump import dump
from harness.cluster.kind import KindSettings, kind_cluster
from harness.cluster.namespace import run_namespace
from harness.cluster.objects import Objects
from harness.images import Images
from harness.perform import Performance, perform
from harness.recorder import Recorder
from harness.site import Site
from harness.stage import Stage, staged
from harness.waiting import WaitError
from scenarios.document import Loaded
from sim import study
from sim.decide.rejections import rejection
from sim.model.header import header
from sim.model.records import EndRecord, RunResult
from sim.model.strategy import Geographic, LocalStrategy
from sim.streams import Streams


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


class ClusterBackend:
    """A cluster that stands; every run has a namespace of its own."""

    name = "cluster"

    def __init__(self, cluster: Cluster, images: Images, choices: Choices) -> None:
        self._cluster, self._images, self._choices = cluster, images, choices
        self._numbers = count(1)
        self._controller = ""

    def run(self, loaded: Loaded, seed: int) -> RunResult:
        """See ``Backend.run``; what a run leaves behind besides its journal is in a folder of its own."""
        scenario, strategy = loaded.scenario, loaded.scenario.strategy
        if isinstance(strategy, Geographic):
            raise NotImplementedError
        name = f"{scenario.name}-{scenario.release.name}"
        folder = self._folder(f"{next(self._numbers):02d}-{name}-{seed}")
        with run_namespace(self._cluster, name, keep=self._choices.keep_cluster) as objects:
            site = Site(self._cluster, objects, Recorder(), loaded, Streams(seed), folder)
            played = self._played(site, strategy, objects, seed)
        first = header(scenario, seed, loaded.hash, self.name, played.desired_pods)
        outcome = played.outcome
        end = EndRecord(played.end_s, outcome.verdict, outcome.reason, outcome.ended_s)
        journal = (first, *played.rows, end)
        return RunResult(loaded.hash, seed, outcome.verdict, outcome.reason, outcome.ended_s, journal)

    def conditions(self) -> Conditions:
        """See ``ClusterSide``."""
        return Conditions(self._controller)

    def _played(self, site: Site, strategy: LocalStrategy, objects: Objects, seed: int) -> Performance:
        try:
            with staged(site, strategy, self._images, self._choices.decides) as stage:
                self._controller = stage.controller
                _note(stage)
                return perform(stage, seed, rejection(site.loaded.scenario, strategy))
        except WaitError as error:
            error.add_note(dump(self._cluster, objects, site.folder))
            raise

    def _folder(self, name: str) -> Path:
        folder = self._choices.folder / name.replace("/", "_")
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextmanager
def on_cluster(choices: Choices) -> Iterator[ClusterBackend]:
    """The cluster chosen, made if need be and taken down at the end; MissingError with all that is not there."""
    images = Images(choices.images)
    if choices.context:
        with context_cluster(choices.context) as cluster:
            yield ClusterBackend(cluster, images, choices)
        return
    node = images.wanted("kind-node")
    settings = KindSettings.of_environment(node, choices.kind_cluster, keep=choices.keep_cluster)
    with kind_cluster(settings) as made:
        yield ClusterBackend(made, images, choices)


def _note(stage: Stage) -> None:
    """What a reader of the run's folder has to know."""
    told = {"controller": stage.controller, "adaptations": stage.plan.adaptations}
    (stage.site.folder / "stage.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
