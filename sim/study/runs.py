"""Running a study: which replications are missing, who runs them, and what happens when something goes wrong."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import blake2b
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import islice
from multiprocessing import forkserver, get_all_start_methods, get_context, resource_tracker
from pathlib import Path
from typing import Any, TypeVar

from sim.model.hashing import canonical_json, digest
from sim.model.records import RunResult
from sim.model.scenario import Scenario
from sim.study.cells import Cell, CellResults, StratumResults, Study, releases, replication_seed, strata
from sim.study.store import Store, TaskKey

R = TypeVar("R")
Run = Callable[[Scenario, int, str], RunResult]
Reduce = Callable[[RunResult], Any]
Progress = Callable[[int, int], None]

_AHEAD = 4
"""Tasks queued per worker: enough to keep it busy, few enough that Ctrl-C is heard soon."""


class ReplicationCrashError(Exception):
    """A replication ended in an exception: a bug, not a simulated failure. Says which, so that it can be run alone."""


class StudyInterrupted(KeyboardInterrupt):
    """Ctrl-C during a study, after everything finished has been stored."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"{done} of {total} replications are finished.")
        self.done = done
        self.total = total


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a worker needs besides the task's key; sent to each worker once."""

    cells: tuple[Cell, ...]
    seed: int
    reduce: Reduce
    run: Run | None

    def do(self, task: TaskKey) -> str:
        """The reduced replication as canonical JSON, the same bytes in whatever process."""
        scenario, seed = self.scenario(task), self.seed_of(task)
        result = (self.run or _engine())(scenario, seed, digest(scenario))
        return canonical_json(self.reduce(result))

    def scenario(self, task: TaskKey) -> Scenario:
        """The cell's scenario with the stratum's kind of release."""
        scenario = self.cells[task[0]].scenario
        return replace(scenario, release=releases(scenario)[task[1]])

    def seed_of(self, task: TaskKey) -> int:
        """The replication's seed."""
        return replication_seed(self.seed, releases(self.cells[task[0]].scenario)[task[1]].name, task[2])

    def describe(self, task: TaskKey) -> str:
        """The task in words that allow to run it alone."""
        cell, scenario = self.cells[task[0]], self.scenario(task)
        return (
            f"{scenario.title!r} (cell {cell.name}, variant {cell.variant or '-'}, release {scenario.release.name}, "
            f"replication {task[2]}, seed {self.seed_of(task)})"
        )


def run_study(  # noqa: PLR0913 - four say what is asked, the others, by keyword, how it is run
    cells: Sequence[Cell],
    replications: int,
    seed: int,
    reduce: Callable[[RunResult], R],
    *,
    revive: Callable[[Any], R],
    workers: int = 1,
    store: Path | None = None,
    progress: Progress | None = None,
    run: Run | None = None,
) -> Study[R]:
    """Every cell x every kind of release in its mix x ``replications``, reduced where it was run.

    ``reduce`` turns a run into something small (JSON data or a frozen dataclass of it), ``revive`` makes it from its
    JSON form again; every value takes that way, so resumed and fresh studies cannot differ. Both ``reduce`` and
    ``run`` (None: the engine) must be importable by name when ``workers`` > 1. With ``store``, replications found
    there are not run again and finished ones are kept there at once.

    Raises ReplicationCrashError for a bug in a replication, StoreError for an unusable store, and StudyInterrupted
    on Ctrl-C once what is finished has been stored.
    """
    job = Job(tuple(cells), seed, reduce, run)
    tasks = _tasks(job.cells, replications)
    key = study_key(job)
    keeper = nullcontext() if store is None else Store(store, key)
    with keeper as kept:
        known = {} if kept is None else kept.read()
        done = {task: known[task] for task in tasks if task in known}
        if progress is not None:
            progress(len(done), len(tasks))
        missing = iter([task for task in tasks if task not in done])
        try:
            for task, text in _results(job, missing, workers):
                value = json.loads(text)
                # Kept before it is counted: Ctrl-C between the two must not promise too much.
                if kept is not None:
                    kept.append(task, value)
                done[task] = value
                if progress is not None:
                    progress(len(done), len(tasks))
        except KeyboardInterrupt as interrupt:
            raise StudyInterrupted(len(done), len(tasks)) from interrupt
    return Study(_collect(job, replications, done, revive), replications, seed, key)


def run_once(scenario: Scenario, seed: int) -> RunResult:
    """One replication of the scenario's own release, with its whole journal."""
    return _engine()(scenario, seed, digest(scenario))


def study_key(job: Job) -> str:
    """Identity of a study: cells, seed, reduction and the code of both; not the number of replications.

    The code is part of it because results of two versions of the model must never be averaged.
    """
    functions = [job.reduce] if job.run is None else [job.reduce, job.run]
    packages = sorted({"sim", *(function.__module__.partition(".")[0] for function in functions)})
    code = [_code_digest(name) for name in packages] + [f"{f.__module__}.{f.__qualname__}" for f in functions]
    return digest([job.seed, [[cell.name, cell.variant, digest(cell.scenario)] for cell in job.cells], code])


def _code_digest(package: str) -> str:
    state = blake2b(digest_size=8)
    for name, text in sorted(_sources(files(package), package)):
        state.update(f"{name}\0{len(text)}\0".encode() + text)
    return state.hexdigest()


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{name}/{entry.name}", entry.read_bytes()


def _tasks(cells: tuple[Cell, ...], replications: int) -> list[TaskKey]:
    """Replication by replication, so that what an interrupted study leaves is balanced."""
    return [
        (c, s, index)
        for index in range(replications)
        for c, cell in enumerate(cells)
        for s in range(len(releases(cell.scenario)))
    ]


def _results(job: Job, tasks: Iterator[TaskKey], workers: int) -> Iterator[tuple[TaskKey, str]]:
    if workers > 1:
        yield from _in_pool(job, tasks, workers)
        return
    for task in tasks:
        try:
            text = job.do(task)
        except Exception as error:
            raise _crash(job, task, error) from error
        yield task, text


def _in_pool(job: Job, tasks: Iterator[TaskKey], workers: int) -> Iterator[tuple[TaskKey, str]]:
    """Results as they come in. On Ctrl-C nothing more is submitted, and what the workers are at is still yielded."""
    running: dict[Future[str], TaskKey] = {}
    pool = ProcessPoolExecutor(workers, _context(), initializer=_begin, initargs=(job,))
    interrupted = False
    try:
        while True:
            try:
                for task in islice(tasks, workers * _AHEAD - len(running) if not interrupted else 0):
                    running[pool.submit(_work, task)] = task
                if not running:
                    break
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                running = {future: task for future, task in running.items() if not future.cancel()}
                continue
            for future in finished:
                task = running.pop(future)
                try:
                    text = future.result()
                except Exception as error:
                    raise _crash(job, task, error) from error
                yield task, text
    finally:
        pool.shutdown(wait=not interrupted, cancel_futures=True)
    if interrupted:
        raise KeyboardInterrupt


def _crash(job: Job, task: TaskKey, error: Exception) -> ReplicationCrashError:
    return ReplicationCrashError(f"{job.describe(task)} crashed: {type(error).__name__}: {error}")


def _context() -> Any:
    """Forkserver where there is one: workers start fast and inherit no threads or locks; else spawn."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    _start_forkserver()
    return get_context("forkserver")


def _start_forkserver() -> None:
    """Start it with SIGINT blocked, as its workers then are too: Ctrl-C would end those that have not yet begun.

    The resource tracker comes first because its start takes the block away.
    """
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_given: Job


def _begin(job: Job) -> None:
    """Runs first in every worker. Ctrl-C is the parent's to handle: workers finish what they are at."""
    global _given  # noqa: PLW0603 - a pool offers its workers no other place to keep what they were given
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _given = job


def _work(task: TaskKey) -> str:
    return _given.do(task)


def _engine() -> Run:
    """The engine, imported by whoever simulates: a parent with workers never compiles its loops."""
    engine: Run = import_module("sim.engine").run
    return engine


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
