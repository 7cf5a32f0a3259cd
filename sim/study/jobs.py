"""What workers are given: the cells and what to do with a replication, whole; then one task after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import Any

from sim.model.hashing import canonical_json, digest
from sim.model.records import RunResult
from sim.model.scenario import Scenario
from sim.study.cells import Cell, releases, replication_seed
from sim.study.code import work_digest

Run = Callable[[Scenario, int, str], RunResult]
Reduce = Callable[[RunResult], Any]
TaskKey = tuple[int, int, int]
"""(cell, stratum, replication), each counted from 0."""
StoreKey = tuple[str, str, int]
"""What a replication is, whoever asks for it: (work, digest of the scenario with its release, seed)."""


class ReplicationCrashError(Exception):
    """A replication ended in an exception: a bug, not a simulated failure. Says which, so that it can be run alone."""


@dataclass(frozen=True)
class Job:
    """Everything a worker needs besides the task's key; sent to each worker once."""

    cells: tuple[Cell, ...]
    seed: int
    reduce: Reduce
    run: Run | None = None
    """None: the engine."""

    def do(self, task: TaskKey) -> str:
        """The reduced replication as canonical JSON, the same bytes in whatever process."""
        scenario, scenario_hash = self._scenarios[task[0]][task[1]]
        result = (self.run or engine())(scenario, self.seed_of(task), scenario_hash)
        return canonical_json(self.reduce(result))

    def scenario(self, task: TaskKey) -> Scenario:
        """The cell's scenario with the stratum's kind of release."""
        return self._scenarios[task[0]][task[1]][0]

    def store_key(self, task: TaskKey) -> StoreKey:
        """What the replication is, whoever asks for it."""
        return self.work, self._scenarios[task[0]][task[1]][1], self.seed_of(task)

    def declarations(self) -> list[tuple[str, str, str]]:
        """Digest, title and kind of release of every scenario that is run."""
        return [(known, one.title, one.release.name) for cell in self._scenarios for one, known in cell]

    def seed_of(self, task: TaskKey) -> int:
        """The replication's seed."""
        return replication_seed(self.seed, self.scenario(task).release.name, task[2])

    def describe(self, task: TaskKey) -> str:
        """The task in words that allow to run it alone."""
        cell, scenario = self.cells[task[0]], self.scenario(task)
        return (
            f"{scenario.title!r} (cell {cell.name}, variant {cell.variant or '-'}, release {scenario.release.name}, "
            f"replication {task[2]}, seed {self.seed_of(task)})"
        )

    @cached_property
    def work(self) -> str:
        """Identity of the code that is run and of the reduction."""
        return work_digest(self.functions)

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """What is done to a scenario, besides the engine."""
        return (self.reduce,) if self.run is None else (self.reduce, self.run)

    @cached_property
    def key(self) -> str:
        """Identity of everything: cells, seed, reduction and the code of both; not the number of replications."""
        cells = [[cell.name, cell.variant, known] for cell, known in zip(self.cells, self.hashes, strict=True)]
        return digest([self.seed, cells, self.work])

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """The digest of each cell's scenario as it was given."""
        return tuple(digest(cell.scenario) for cell in self.cells)

    @cached_property
    def _scenarios(self) -> tuple[tuple[tuple[Scenario, str], ...], ...]:
        """Made once: a digest takes longer than a quick replication."""
        return tuple(
            tuple((scenario, digest(scenario)) for scenario in _each_release(cell.scenario)) for cell in self.cells
        )


def _each_release(scenario: Scenario) -> tuple[Scenario, ...]:
    return tuple(replace(scenario, release=release) for release in releases(scenario))


def engine() -> Run:
    """The engine, imported by whoever simulates: a parent with workers never compiles its loops."""
    run: Run = import_module("sim.engine").run
    return run


def crash(job: Job, task: TaskKey, what: str, trace: str = "") -> ReplicationCrashError:
    """The error that says which replication crashed of what, and where if another process knows."""
    error = ReplicationCrashError(f"{job.describe(task)} crashed: {what}")
    if trace:
        error.add_note(trace)
    return error
