"""What a study asks of an engine."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Protocol, Self

from sim.study.jobs import Job, TaskKey


class Engine(Protocol):
    """Runs tasks of jobs; lives across many of them. ``with`` it, or ``close`` it, to send its workers home.

    ``results`` takes from ``tasks`` only what is soon to be run and yields them as they are finished, in any order.
    On Ctrl-C no more are begun, those under way are still yielded, and then KeyboardInterrupt is raised; a second Ctrl-C
    waits for nothing. Closing the generator drops what is not finished. Several may be open at once, in one thread.
    A bug in a replication is a ReplicationCrashError.
    """

    def results(self, job: Job, tasks: Iterator[TaskKey]) -> Generator[tuple[TaskKey, str]]:
        """Each task with the canonical JSON of its reduced replication."""

    def close(self) -> None:
        """Send the workers home; the engine may not be used again."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...
