"""Running a study: which replications are missing, who runs them, and what happens when something goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sim.model.hashing import digest
from sim.model.records import RunResult
from sim.model.scenario import Scenario
from sim.study.cells import Cell, CellResults, StratumResults, Study, strata
from sim.study.engines import Engine, Serial
from sim.study.jobs import Job, Run, TaskKey
from sim.study.jobs import engine as simulator
from sim.study.ordered import tasks_of
from sim.study.store import Store

R = TypeVar("R")
Progress = Callable[[int, int], None]


class StudyInterrupted(KeyboardInterrupt):
    """Ctrl-C during a study, after everything finished has been stored."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"{done} of {total} replications are finished.")
        self.done = done
        self.total = total


def run_study(  # noqa: PLR0913 - four say what is asked, the others, by keyword, how it is run
    cells: Sequence[Cell],
    replications: int,
    seed: int,
    reduce: Callable[[RunResult], R],
    *,
    revive: Callable[[Any], R],
    engine: Engine | None = None,
    store: Path | None = None,
    progress: Progress | None = None,
    run: Run | None = None,
) -> Study[R]:
    """Every cell x every kind of release in its mix x ``replications``, reduced where it was run.

    ``reduce`` turns a run into something small (JSON data or a frozen dataclass of it), ``revive`` makes it from its
    JSON form again; every value takes that way, so resumed and fresh studies cannot differ. Both ``reduce`` and
    ``run`` (None: the engine of the model) must be importable by name for an ``engine`` other than Serial, the default.
    With ``store``, replications found there are not run again and finished ones are kept there at once.

    Raises ReplicationCrashError for a bug in a replication, StoreError for an unusable store, and StudyInterrupted
    on Ctrl-C once what is finished has been stored.
    """
    job = Job(tuple(cells), seed, reduce, run)
    tasks = list(tasks_of(job.cells, 0, replications))
    keeper = nullcontext() if store is None else Store(store, job.key)
    with keeper as kept:
        known = {} if kept is None else kept.read()
        done = {task: known[task] for task in tasks if task in known}
        if progress is not None:
            progress(len(done), len(tasks))
        missing = iter([task for task in tasks if task not in done])
        try:
            for task, text in (engine or Serial()).results(job, missing):
                value = json.loads(text)
                # Kept before it is counted: Ctrl-C between the two must not promise too much.
                if kept is not None:
                    kept.append(task, value)
                done[task] = value
                if progress is not None:
                    progress(len(done), len(tasks))
        except KeyboardInterrupt as interrupt:
            raise StudyInterrupted(len(done), len(tasks)) from interrupt
    return Study(_collect(job, replications, done, revive), replications, seed, job.key)


def run_once(scenario: Scenario, seed: int) -> RunResult:
    """One replication of the scenario's own release, with its whole journal."""
    return simulator()(scenario, seed, digest(scenario))


def _collect(
    job: Job, replications: int, done: dict[TaskKey, Any], revive: Callable[[Any], R]
) -> tuple[CellResults[R], ...]:
    return tuple(
        CellResults(
            cell,
            digest(cell.scenario),
            tuple(
                StratumResults(
                    stratum,
                    tuple(job.seed_of((c, s, index)) for index in range(replications)),
                    tuple(revive(done[c, s, index]) for index in range(replications)),
                )
                for s, stratum in enumerate(strata(cell.scenario))
            ),
        )
        for c, cell in enumerate(job.cells)
    )
