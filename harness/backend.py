"""Where a scenario runs: the twin or a cluster, one contract for both."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from harness.choices import Choices, Conditions
from harness.missing import INSTALL, MissingError
from scenarios.document import Loaded
from sim import study
from sim.model.records import RunResult


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


def on_cluster(choices: Choices) -> AbstractContextManager[ClusterSide]:
    """The cluster chosen, made if need be and taken down at the end; MissingError with all that is not there."""
    what = "a backend for clusters"
    raise MissingError(what, f"{choices.decides.value} is to decide on one", INSTALL)
