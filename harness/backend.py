"""Where a scenario runs: the twin or a cluster, one contract for both."""

from __future__ import annotations

from typing import Protocol

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
