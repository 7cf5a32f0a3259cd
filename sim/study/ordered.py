"""Replications in a fixed order, computed ahead: what is decided from them one by one never depends on the workers."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar

from sim.model.records import RunResult
from sim.study.cells import Cell, releases
from sim.study.engines import Engine, Serial
from sim.study.jobs import Job, Run, TaskKey
from sim.study.store import Store

R = TypeVar("R")


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
) -> Iterator[Replication[R]]:
    """Replications ``start`` to before ``stop`` (None: for ever) of every cell and kind of release, computed ahead.

    Ordered by replication, then cell, then kind of release, whatever the engine; its values are those of ``run_study``.
    Closing the iterator drops what is not finished; with ``store`` the finished ones are kept and not run again.
    Raises as ``run_study`` does.
    """
    job = Job(tuple(cells), seed, reduce, run)
    keeper = nullcontext() if store is None else Store(store, job.key)
    with keeper as kept:
        done = {} if kept is None else kept.read()
        order: deque[TaskKey] = deque()

        def missing() -> Iterator[TaskKey]:
            for task in tasks_of(job.cells, start, stop):
                order.append(task)
                if task not in done:
                    yield task

        with closing((engine or Serial()).results(job, missing())) as results:
            for task, text in results:
                value = json.loads(text)
                if kept is not None:
                    kept.append(task, value)
                done[task] = value
                while order and order[0] in done:
                    yield _replication(job, order[0], revive(done.pop(order.popleft())))
        for task in order:
            yield _replication(job, task, revive(done.pop(task)))


def tasks_of(cells: Sequence[Cell], start: int, stop: int | None) -> Iterator[TaskKey]:
    """Replication by replication, so that what an interrupted study leaves is balanced."""
    for index in count(start) if stop is None else range(start, stop):
        for c, cell in enumerate(cells):
            for s in range(len(releases(cell.scenario))):
                yield c, s, index


def _replication(job: Job, task: TaskKey, value: R) -> Replication[R]:
    return Replication(*task, job.seed_of(task), value)
