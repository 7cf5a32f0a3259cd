"""One replication after the other, in this process."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sim.study.jobs import Job, TaskKey, crash


@dataclass(frozen=True, slots=True)
class Serial:
    """No workers."""

    def results(self, job: Job, tasks: Iterator[TaskKey]) -> Generator[tuple[TaskKey, str]]:
        """In the order of the tasks; each is run only when it is asked for."""
        for task in tasks:
            try:
                text = job.do(task)
            except Exception as error:
                raise crash(job, task, f"{type(error).__name__}: {error}") from error
            yield task, text

    def close(self) -> None:
        """Nothing to do."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
