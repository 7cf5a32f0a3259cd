"""Processes on this machine, which live across many studies."""

from __future__ import annotations

import pickle
import signal
from collections import Counter, deque
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import forkserver, get_all_start_methods, get_context, resource_tracker
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sim.study.engines.chunks import Chunk, Pace, begin, work
from sim.study.engines.scratch import Scratch
from sim.study.jobs import Job, TaskKey, crash

_AHEAD = 3
"""Chunks queued per worker: enough to keep it busy, few enough that Ctrl-C is heard soon."""
_DEATHS = 3
"""A replication under way in so many killed workers is what kills them."""

Tasks = tuple[TaskKey, ...]


class Processes:
    """So many worker processes, started when the first study needs them.

    Workers that are killed are replaced, and what they were at is run again, a task at a time; a task that was under way
    in three of them is a ReplicationCrashError.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._scratch: Scratch | None = None
        self._jobs = 0

    def results(self, job: Job, tasks: Iterator[TaskKey]) -> Generator[tuple[TaskKey, str]]:
        """As they come in."""
        given = self._given(job)
        errand = _Errand(job, given, tasks, self.workers * _AHEAD)
        interrupted = False
        try:
            while True:
                try:
                    if not interrupted:
                        self._submit(errand)
                    if not errand.running:
                        break
                    finished, _ = wait(errand.running, return_when=FIRST_COMPLETED)
                except KeyboardInterrupt:
                    if interrupted:
                        self._abandon()
                        raise
                    interrupted = True
                    errand.cancel()
                    continue
                for future in finished:
                    yield from self._taken(errand, future)
        finally:
            errand.cancel()
            given.unlink(missing_ok=True)
        if interrupted:
            raise KeyboardInterrupt

    def close(self) -> None:
        """Send the workers home once they have finished what they are at."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _given(self, job: Job) -> Path:
        """The job in a file, which every worker reads once, however many tasks it gets."""
        if self._scratch is None:
            self._scratch = Scratch()
        self._jobs += 1
        path = self._scratch.path / str(self._jobs)
        path.write_bytes(pickle.dumps(job))
        return path

    def _submit(self, errand: _Errand) -> None:
        for tasks in errand.next():
            if self._pool is None:
                self._pool = ProcessPoolExecutor(self.workers, _context(), initializer=begin)
            try:
                future = self._pool.submit(work, errand.given, tasks)
            except BrokenProcessPool:
                # Broken while nobody waited for it; what was under way is found out one by one.
                errand.again.append(tasks)
                self._abandon()
                continue
            errand.running[future] = tasks
            errand.pools[future] = self._pool

    def _taken(self, errand: _Errand, future: Future[Chunk]) -> Iterator[tuple[TaskKey, str]]:
        tasks, pool = errand.running.pop(future), errand.pools.pop(future)
        try:
            chunk = future.result()
        except CancelledError:
            errand.again.append(tasks)
        except BrokenProcessPool:
            if self._pool is pool:
                self._abandon()
            errand.died(tasks)
        else:
            errand.pace.learn(len(tasks), chunk.seconds)
            yield from zip(tasks, chunk.texts, strict=False)
            if chunk.crash:
                raise crash(errand.job, tasks[len(chunk.texts)], chunk.crash, chunk.trace)

    def _abandon(self) -> None:
        """Leave the pool to end alone; the next one needed is a new one."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


@dataclass(slots=True)
class _Errand:
    """One call of ``results``: what is under way, and what is to be run again because a worker died."""

    job: Job
    given: Path
    tasks: Iterator[TaskKey]
    most: int
    """Chunks under way at once."""
    running: dict[Future[Chunk], Tasks] = field(default_factory=dict)
    pools: dict[Future[Chunk], ProcessPoolExecutor] = field(default_factory=dict)
    again: deque[Tasks] = field(default_factory=deque)
    pace: Pace = field(default_factory=Pace)
    deaths: Counter[TaskKey] = field(default_factory=Counter)

    def next(self) -> Iterator[Tasks]:
        """Chunks to be submitted now; one by one while one of them is suspected of having killed a worker."""
        while len(self.running) < (1 if self._suspects() else self.most):
            chunk = self.again.popleft() if self.again else tuple(islice(self.tasks, self.pace.chunk))
            if not chunk:
                return
            yield chunk

    def _suspects(self) -> bool:
        """A pool loses all its workers with one, so that only a task that runs alone is known to be what kills them."""
        return bool(self.again) or any(self.deaths[tasks[0]] for tasks in self.running.values())

    def died(self, tasks: Tasks) -> None:
        """A worker died while these were under way or waiting: each is run again, alone."""
        self.deaths.update(tasks)
        worst = max(tasks, key=self.deaths.__getitem__)
        if self.deaths[worst] >= _DEATHS:
            raise crash(
                self.job, worst, f"the worker processes that ran it were killed, {_DEATHS} of them (out of memory?)"
            )
        self.again.extend((task,) for task in tasks)

    def cancel(self) -> None:
        """Drop what no worker has begun."""
        self.running = {future: tasks for future, tasks in self.running.items() if not future.cancel()}


def _context() -> Any:
    """Forkserver where there is one: workers start fast and inherit no threads or locks; else spawn."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    _start_forkserver()
    return get_context("forkserver")


def _start_forkserver() -> None:
    """Start it with SIGINT and SIGTERM blocked, as its workers then are too.

    Both come to the whole group of processes (Ctrl-C, ``timeout``, an init system), and would end workers that have not yet
    begun, or the forkserver, without which all its workers count as dead. The resource tracker comes first because its
    start takes the block away.
    """
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
