"""Running a study: which replications are missing, who runs them, and what happens when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from sim.model.hashing import digest
from sim.model.records import RunResult
from sim.model.scenario import Scenario
from sim.study.cells import Cell, CellResults, StratumResults, Study, strata
from sim.study.engines import Engine, Serial
from sim.study.jobs import Job, Run, TaskKey
from sim.study.jobs import engine as simulator
from sim.study.kept import Seeds, Values, opened
from sim.study.ordered import StudyInterrupted, tasks_of
from sim.study.store import Memory, Shelf

R = TypeVar("R")
Progress = Callable[[int, int], None]

_REMEMBERED = 20_000
"""Replications that a study keeps revived (about 50 MB); those of larger ones are read again whenever they are asked for."""


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
    With ``store``, a file, replications found there are not run again, whatever study ran them, and finished ones are
    kept there at once.

    Raises ReplicationCrashError for a bug in a replication, StoreError for an unusable store, and StudyInterrupted
    on Ctrl-C once what is finished has been stored.
    """
    job = Job(tuple(cells), seed, reduce, run)
    place: Path | Memory = Memory() if store is None else store
    with opened(place) as shelf:
        shelf.declare(job)
        _run_missing(job, replications, shelf, engine or Serial(), progress or _silent)
    return Study(_collect(job, replications, place, revive), replications, seed, job.key)


def run_once(scenario: Scenario, seed: int) -> RunResult:
    """One replication of the scenario's own release, with its whole journal."""
    return simulator()(scenario, seed, digest(scenario))


def _run_missing(job: Job, replications: int, shelf: Shelf, engine: Engine, progress: Progress) -> None:
    total = sum(1 for _ in tasks_of(job.cells, 0, replications))
    done = sum(_is_kept(job, shelf, task) for task in tasks_of(job.cells, 0, replications))

    def missing() -> Iterator[TaskKey]:
        # Asked again when its turn comes: another process may have run it by then.
        return (task for task in tasks_of(job.cells, 0, replications) if not _is_kept(job, shelf, task))

    progress(done, total)
    try:
        with closing(engine.results(job, missing())) as results:
            for task, text in results:
                # Kept before it is counted: Ctrl-C between the two must not promise too much.
                shelf.append(job.store_key(task), text)
                done += 1
                progress(done, total)
    except KeyboardInterrupt as interrupt:
        raise StudyInterrupted(done, total) from interrupt
    if done < total:
        progress(total, total)  # another process ran the rest


def _is_kept(job: Job, shelf: Shelf, task: TaskKey) -> bool:
    return shelf.find(job.store_key(task)) is not None


def _silent(_done: int, _total: int) -> None:
    """Progress that nobody asked for."""


def _collect(
    job: Job, replications: int, place: Path | Memory, revive: Callable[[Any], R]
) -> tuple[CellResults[R], ...]:
    kinds = [strata(cell.scenario) for cell in job.cells]
    remembers = replications * sum(map(len, kinds)) <= _REMEMBERED

    def results(c: int, s: int) -> StratumResults[R]:
        seeds = Seeds(job, c, s, replications)
        return StratumResults(kinds[c][s], seeds, Values(seeds, place, revive, remembers))

    return tuple(
        CellResults(cell, job.hashes[c], tuple(results(c, s) for s in range(len(kinds[c]))))
        for c, cell in enumerate(job.cells)
    )
