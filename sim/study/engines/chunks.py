"""Several tasks at once for a worker: so many that handing them over costs next to nothing."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from time import perf_counter
from traceback import format_exc

from sim.study.jobs import Job, TaskKey

_MOST = 64
_SOON_S = 0.02
"""A chunk takes about as long at first: a small study still spreads over all workers, and Ctrl-C is heard soon."""
_LATER, _SPENT = 5, 20
"""Chunks become so many times as long, but never longer than this part of what the study has taken so far."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What became of tasks that were run together: the results of all, or of those before the one that crashed."""

    texts: tuple[str, ...]
    seconds: float
    crash: str = ""
    trace: str = ""


@dataclass(slots=True)
class Pace:
    """How long a task takes, and so how many make a chunk."""

    soon_s: float = _SOON_S
    most: int = _MOST
    _task_s: float = 0.0
    _spent_s: float = 0.0

    @property
    def chunk(self) -> int:
        """Tasks in the next chunk; one until anything is known."""
        soon_s = min(max(self.soon_s, self._spent_s / _SPENT), self.soon_s * _LATER)
        return max(1, min(self.most, int(soon_s / self._task_s))) if self._task_s else 1

    def learn(self, tasks: int, seconds: float) -> None:
        """So many tasks took so long. Slow ones count at once, quick ones by and by: the first compile their loops."""
        self._spent_s += seconds
        now = max(seconds / tasks, 1e-6)
        self._task_s = (self._task_s + now) / 2 if self._task_s else now


def do(job: Job, tasks: Sequence[TaskKey]) -> Chunk:
    """Run the tasks one after the other, up to the first that crashes."""
    began, texts = perf_counter(), list[str]()
    for task in tasks:
        try:
            texts.append(job.do(task))
        except Exception as error:  # noqa: BLE001 - told to the parent, which raises it with the replication's name
            return Chunk(tuple(texts), perf_counter() - began, f"{type(error).__name__}: {error}", format_exc())
    return Chunk(tuple(texts), perf_counter() - began)


def begin() -> None:
    """Runs first in every worker. Ctrl-C is the parent's to handle, and so is what ends its whole group of processes.

    A pool's workers do not notice if their parent is killed, and would wait for its next word for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _leave_group()
    Thread(target=_end_with_parent, daemon=True).start()


def _leave_group() -> None:
    """Signals to the parent's group no longer come here: the parent ends its workers when they have finished.

    Where workers begin with SIGTERM blocked (see ``processes``), one that came before is forgotten.
    """
    if hasattr(os, "setpgrp"):
        os.setpgrp()
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        signal.signal(signal.SIGTERM, before)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def work(given: Path, tasks: Sequence[TaskKey]) -> Chunk:
    """What a worker does."""
    return do(_job(given), tasks)


@lru_cache(maxsize=16)
def _job(given: Path) -> Job:
    job: Job = pickle.loads(given.read_bytes())  # noqa: S301 - written by the parent for its own workers
    return job
