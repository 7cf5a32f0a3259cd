"""Processes on this machine."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from multiprocessing import forkserver, get_all_start_methods, get_context, resource_tracker
from types import TracebackType
from typing import Any, Self

from sim.study.jobs import Job, TaskKey, crash

_AHEAD = 4
"""Tasks queued per worker: enough to keep it busy, few enough that Ctrl-C is heard soon."""


@dataclass(frozen=True, slots=True)
class Processes:
    """So many worker processes."""

    workers: int

    def results(self, job: Job, tasks: Iterator[TaskKey]) -> Generator[tuple[TaskKey, str]]:
        """As they come in."""
        running: dict[Future[str], TaskKey] = {}
        pool = ProcessPoolExecutor(self.workers, _context(), initializer=_begin, initargs=(job,))
        interrupted = False
        try:
            while True:
                try:
                    for task in islice(tasks, self.workers * _AHEAD - len(running) if not interrupted else 0):
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
                        raise crash(job, task, f"{type(error).__name__}: {error}") from error
                    yield task, text
        finally:
            pool.shutdown(wait=not interrupted, cancel_futures=True)
        if interrupted:
            raise KeyboardInterrupt

    def close(self) -> None:
        """Nothing to do: the workers go home after each study."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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
