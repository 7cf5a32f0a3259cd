"""A cluster of Dask workers, on one machine or on many.

Dask's scheduler runs again what a lost worker was at; that results do not depend on who runs them is ours. Workers must
have the code and the numerical packages of the client, which is checked on the worker with every job.
"""

from __future__ import annotations

import pickle
import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sim.study.code import work_digest
from sim.study.engines.chunks import Chunk, Pace, do
from sim.study.engines.errors import EngineError
from sim.study.jobs import Job, TaskKey, crash

if TYPE_CHECKING:
    from distributed import Client, Future

_AHEAD = 3
"""Chunks queued per worker."""
_SOON_S, _MOST = 0.25, 1024
"""A chunk takes about as long: handing one over costs a few milliseconds."""
_PATIENCE_S = 120
"""A cluster that grows on demand may have no workers yet; one that has none for so long never will."""
_CONNECT_S = 10
_PACKAGES = ("numba", "numpy", "simpy")

Tasks = tuple[TaskKey, ...]


class Dask:
    """The workers of the scheduler at ``address`` (``HOST:PORT``), connected to when the first study needs them."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Client | None = None

    def results(self, job: Job, tasks: Iterator[TaskKey]) -> Generator[tuple[TaskKey, str]]:
        """As they come in; on Ctrl-C those that are finished."""
        client = self._connected()
        pace = Pace(_SOON_S, _MOST)
        running: dict[Future[Chunk], Tasks] = {}
        finished: SimpleQueue[Future[Chunk]] = SimpleQueue()
        # A task of its own, so that the scheduler has it made again if the worker that holds it is lost.
        given = client.submit(_same, _packed(job), pure=False)
        expected = fingerprint(job)
        try:
            while True:
                most = max(1, self._workers()) * _AHEAD
                while len(running) < most and (chunk := tuple(islice(tasks, pace.chunk))):
                    future = client.submit(remote, given, chunk, expected, pure=False)
                    running[future] = chunk
                    future.add_done_callback(finished.put)  # type: ignore[no-untyped-call]
                if not running:
                    break
                future = self._next(finished)
                yield from self._taken(job, running.pop(future), future, pace)
        except KeyboardInterrupt:
            for future in [future for future in running if future.status == "finished"]:
                yield from self._taken(job, running.pop(future), future, pace)
            raise
        finally:
            client.cancel([*running, given])  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Leave the cluster."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connected(self) -> Client:
        if self._client is None:
            client_class = _package().Client
            try:
                self._client = client_class(self.address, set_as_default=False, timeout=_CONNECT_S)
            except (OSError, ValueError) as error:
                raise EngineError(self.address, f"no Dask scheduler answers there: {error}") from error
        return self._client

    def _workers(self) -> int:
        return len(self._connected().scheduler_info(n_workers=-1)["workers"])

    def _next(self, finished: SimpleQueue[Future[Chunk]]) -> Future[Chunk]:
        while True:
            try:
                return finished.get(timeout=_PATIENCE_S)
            except Empty:
                if not self._workers():
                    raise EngineError(self.address, f"the scheduler has had no workers for {_PATIENCE_S} s") from None

    def _taken(self, job: Job, tasks: Tasks, future: Future[Chunk], pace: Pace) -> Iterator[tuple[TaskKey, str]]:
        try:
            chunk = future.result()
        except _package().KilledWorker as error:
            raise crash(
                job, tasks[0], f"the workers that ran it or one of the next {len(tasks)} were lost: {error}"
            ) from error
        except CodeDiffersError as error:
            raise EngineError(self.address, str(error)) from error
        except ImportError as error:
            raise EngineError(
                self.address, f"a worker lacks what the client has, install the same there: {error}"
            ) from error
        pace.learn(len(tasks), chunk.seconds)
        yield from zip(tasks, chunk.texts, strict=False)
        if chunk.crash:
            raise crash(job, tasks[len(chunk.texts)], chunk.crash, chunk.trace)


class CodeDiffersError(Exception):
    """A worker's code or packages are not those of the client."""


def fingerprint(job: Job) -> tuple[str, ...]:
    """What must be equal on client and worker for equal results: code, Python and the numerical packages."""
    return _fingerprint(job.functions)


@cache
def _fingerprint(functions: tuple[Callable[..., Any], ...]) -> tuple[str, ...]:
    # Read where it is asked for: a job brings along the digests of whoever made it.
    python = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return (f"code {work_digest(functions)}", python, *(f"{name} {version(name)}" for name in _PACKAGES))


_one_at_a_time = Lock()
"""Of a worker's threads: the model is made for processes, and threads would only wait for each other anyway."""


def remote(given: bytes, tasks: Tasks, expected: tuple[str, ...]) -> Chunk:
    """What a worker does."""
    with _one_at_a_time:
        job = _job(given)
        found = fingerprint(job)
        if found != expected:
            differences = ", ".join(
                f"{own} there, {ours} here" for own, ours in zip(found, expected, strict=True) if own != ours
            )
            msg = f"a worker differs from the client ({differences}): install the same rolltwin there"
            raise CodeDiffersError(msg)
        return do(job, tasks)


def _same(given: bytes) -> bytes:
    return given


def _packed(job: Job) -> bytes:
    return zlib.compress(pickle.dumps(job), 1)


@lru_cache(maxsize=16)
def _job(given: bytes) -> Job:
    job: Job = pickle.loads(zlib.decompress(given))  # noqa: S301 - from the client, which may run code here anyway
    return job


def _package() -> Any:
    """Dask's scheduler package, which only those need who have a cluster."""
    try:
        import distributed  # noqa: PLC0415 - optional, and slow to import
    except ImportError as error:
        engine = "dask"
        raise EngineError(engine, "needs Dask; install it with: pip install 'rolltwin[dask]'") from error
    return distributed
