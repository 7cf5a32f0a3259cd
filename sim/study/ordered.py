"""Replications in a fixed order, computed ahead: what is decided from them one by one never depends on the workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any, Generic, TypeVar

from sim.model.records import RunResult
from sim.study.cells import Cell, releases
from sim.study.engines import Engine, Serial
from sim.study.jobs import Job, Run, TaskKey
from sim.study.kept import parsed
from sim.study.store import Memory, Store, StoreError

R = TypeVar("R")


class StudyInterrupted(KeyboardInterrupt):
    """Ctrl-C during a study, after everything finished has been stored."""

    def __init__(self, done: int, total: int | None = None) -> None:
        of = "" if total is None else f" of {total}"
        super().__init__(f"{done}{of} replications are finished.")
        self.done = done
        self.total = total


@dataclass(frozen=True, slots=True)
class Replication(Generic[R]):
    """One reduced replication and where it belongs: cell and kind of release are counted from 0."""

    cell: int
    stratum: int
    index: int
    seed: int
    value: R


def stream(  # noqa: PLR0913 - as run_study
    cells: Sequence[Cell],
    seed: int,
    reduce: Callable[[RunResult], R],
    *,
    revive: Callable[[Any], R],
    engine: Engine | None = None,
    store: Path | None = None,
    start: int = 0,
    stop: int | None = None,
    run: Run | None = None,
) -> Generator[Replication[R]]:
    """Replications ``start`` to before ``stop`` (None: for ever) of every cell and kind of release, computed ahead.

    Ordered by replication, then cell, then kind of release, whatever the engine; its values are those of ``run_study``.
    Closing the iterator drops what is not finished; with ``store`` the finished ones are kept and not run again.
    Raises as ``run_study`` does.
    """
    job = Job(tuple(cells), seed, reduce, run)
    place: Path | Memory = Memory() if store is None else store
    with nullcontext() if store is None else Store(store) as shelf:
        if shelf is not None:
            shelf.declare(job)
        found = _InOrder(job, shelf, tasks_of(job.cells, start, stop))
        try:
            for task, text in found.texts(engine or Serial()):
                yield Replication(*task, job.seed_of(task), revive(parsed(text, place)))
        except KeyboardInterrupt as interrupt:
            raise StudyInterrupted(found.finished) from interrupt


@dataclass(slots=True)
class _InOrder:
    """What is under way, and what is finished but has to wait for its turn."""

    job: Job
    shelf: Store | None
    tasks: Iterator[TaskKey]
    finished: int = 0
    _turns: deque[TaskKey] = field(default_factory=deque)
    """Tasks in order, from the one whose turn it is to the last that was looked at."""
    _running: set[TaskKey] = field(default_factory=set)
    _fresh: dict[TaskKey, str] = field(default_factory=dict)

    def texts(self, engine: Engine) -> Iterator[tuple[TaskKey, str]]:
        """Every task and its result, in order."""
        yield from self._stored_first()
        with closing(engine.results(self.job, self._missing())) as results:
            for task, text in results:
                self._keep(task, text)
                yield from self._due()
        yield from self._due()

    def _stored_first(self) -> Iterator[tuple[TaskKey, str]]:
        """Those that are there before the first that is missing; nothing is begun before they are used up."""
        for task in self.tasks:
            text = self._stored(task)
            if text is None:
                self.tasks = chain((task,), self.tasks)
                return
            self.finished += 1
            yield task, text

    def _missing(self) -> Iterator[TaskKey]:
        for task in self.tasks:
            missing = self._stored(task) is None
            # Under way before it has a turn: Ctrl-C between the two must not leave a turn that nobody takes.
            if missing:
                self._running.add(task)
            self._turns.append(task)
            if missing:
                yield task
            else:
                self.finished += 1

    def _keep(self, task: TaskKey, text: str) -> None:
        if self.shelf is not None:
            self.shelf.append(self.job.store_key(task), text)
        self._running.remove(task)
        self._fresh[task] = text
        self.finished += 1

    def _due(self) -> Iterator[tuple[TaskKey, str]]:
        while self._turns and self._turns[0] not in self._running:
            task = self._turns.popleft()
            text = self._fresh.pop(task, None) or self._stored(task)
            if text is None:
                raise StoreError(str(self.shelf), f"{self.job.describe(task)} was kept there and is there no more")
            yield task, text

    def _stored(self, task: TaskKey) -> str | None:
        return None if self.shelf is None else self.shelf.find(self.job.store_key(task))


def tasks_of(cells: Sequence[Cell], start: int, stop: int | None) -> Iterator[TaskKey]:
    """Replication by replication, so that what an interrupted study leaves is balanced."""
    kinds = [len(releases(cell.scenario)) for cell in cells]
    for index in count(start) if stop is None else range(start, stop):
        for c, kind in enumerate(kinds):
            for s in range(kind):
                yield c, s, index
