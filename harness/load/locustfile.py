"""What Locust runs, in a process of its own: sources that send without waiting for answers, every attempt written down.

Started by ``harness.load.generator`` with ``ROLLTWIN_LOAD`` naming the plan file. Nothing else may import this module.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from http.client import HTTPException
from itertools import count
from pathlib import Path
from time import monotonic, time
from typing import Any, Final

import gevent
from gevent.pool import Pool
from geventhttpclient import HTTPClient
from locust import LoadTestShape, User, events, task

from harness.load.attempts import (
    COLUMNS,
    MESH_HEADER,
    OVERFLOW,
    POD_HEADER,
    SIDE_HEADER,
    TIMEOUT_HEADER,
    TOOK_HEADER,
    Attempt,
    line_of,
)
from harness.load.plan import LoadPlan, read
from harness.load.sources import Source, goes_on
from sim.model.load import RequestClass

FLUSH_S: Final = 0.2
"""A killed run keeps all but the attempts of this long."""
PRIORITY: Final = -10
"""Of the process, in nice's terms: who measures must not be the first to starve."""
LOOK_S: Final = 2.0
"""How far ahead a source looks for its next arrival before it sleeps."""


class Sender:
    """The plan, the connections, and the file of attempts. One for the process."""

    def __init__(self, plan: LoadPlan, target: str, folder: Path) -> None:
        self.plan = plan
        self._folder = folder
        self._parent = os.getppid()
        self._lines: list[str] = []
        self._file = os.open(folder / "attempts.csv", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._pool = Pool(plan.max_in_flight)
        self._clock_s = time() - monotonic()
        self._begin_s: float | None = None
        self._headers = [self._headers_of(one) for one in plan.classes]
        self._client = self._connect(target)
        self._numbers = count()

    def number(self) -> int:
        """Of the next source."""
        return next(self._numbers)

    def ready(self) -> None:
        """Says that the process is up and begins to write at regular intervals."""
        with suppress(OSError):
            # Whoever may not ask for it competes with what is measured on equal terms.
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        self._lines.append(COLUMNS + "\n")
        self.flush()
        gevent.spawn(self._keep_writing)

    def now_s(self) -> float:
        """UNIX time that never jumps."""
        return self._clock_s + monotonic()

    def begun_s(self) -> float | None:
        """UNIX time of the plan's t = 0; None while nobody has said."""
        if self._begin_s is None:
            begin = self._folder / "begin"
            self._begin_s = float(begin.read_text()) + self.plan.warm_up_s if begin.exists() else None
        return self._begin_s

    def offer(self, source: Source, scheduled_s: float) -> None:
        """A request is due: it gets a greenlet of its own, unless too many are under way."""
        kind = source.draw_class()
        if self._pool.free_count() > 0:
            self._pool.spawn(self._request, source, kind, scheduled_s)
        else:
            now = self.now_s()
            self._write(Attempt(scheduled_s, now, now, kind, 0, 0, False, False, "", "", None, OVERFLOW))

    def flush(self) -> None:
        """Hands everything so far to the operating system."""
        text = self._taken()
        if text:
            os.write(self._file, text)

    def _taken(self) -> bytes:
        lines, self._lines = self._lines, []
        return "".join(lines).encode("ascii", errors="replace")

    def _request(self, source: Source, kind: int, scheduled_s: float) -> None:
        """One request with its retries."""
        number = 0
        while self._attempt(kind, number, scheduled_s):
            pause = source.pause_s()
            scheduled_s = self.now_s() + pause
            gevent.sleep(pause)
            number += 1

    def _attempt(self, kind: int, number: int, scheduled_s: float) -> bool:
        """Whether another attempt follows."""
        start = self.now_s()
        status, error, headers = self._send(self.plan.classes[kind], self._headers[kind])
        end = self.now_s()
        timed_out = error == "timed out" or TIMEOUT_HEADER in headers
        again = goes_on(self.plan, number, status, timed_out)
        took = headers.get(TOOK_HEADER)
        self._write(
            Attempt(
                scheduled_s=scheduled_s,
                start_s=start,
                end_s=end,
                request_class=kind,
                attempt=number,
                status=status,
                timed_out=timed_out,
                again=again,
                side=headers.get(SIDE_HEADER, ""),
                pod=headers.get(POD_HEADER, ""),
                took_s=float(took) if took else None,
                error="" if timed_out else error,
            )
        )
        return again

    def _send(self, one: RequestClass, headers: dict[str, str]) -> tuple[int, str, Any]:
        """(status, error, headers of the answer); status 0 without an answer."""
        try:
            with self._client.request(one.method, one.path, headers=headers) as answer:
                answer.read()
                return answer.status_code, "", answer
        except TimeoutError:
            return 0, "timed out", {}
        except (OSError, HTTPException) as error:
            return 0, type(error).__name__, {}

    def _write(self, attempt: Attempt) -> None:
        self._lines.append(line_of(attempt))

    def _keep_writing(self) -> None:
        while True:
            gevent.sleep(FLUSH_S)
            # A busy disk holds up a thread, not the arrivals.
            gevent.get_hub().threadpool.apply(os.write, (self._file, self._taken()))
            if os.getppid() != self._parent:
                # Whoever started this is gone: nobody would ever stop it.
                os._exit(3)

    def _connect(self, target: str) -> HTTPClient:
        patience = self.plan.client.timeout_s
        wait = None if patience is None else patience + self.plan.grace_s
        client = HTTPClient.from_url(
            target,
            concurrency=self.plan.max_in_flight,
            connection_timeout=wait,
            network_timeout=wait,
        )
        # The client counts its silent repetitions from the pool's size; what was sent twice would be recorded once.
        client._connection_pool.size = -1  # noqa: SLF001
        return client

    def _headers_of(self, one: RequestClass) -> dict[str, str]:
        host = one.host or self.plan.host
        mesh = {MESH_HEADER: "true"} if one.in_mesh else {}
        return {**({"Host": host} if host else {}), **self.plan.headers, **mesh, **dict(one.headers)}


def _sender() -> Sender:
    path = Path(os.environ["ROLLTWIN_LOAD"])
    plan, more = read(path)
    return Sender(plan, more["target"], path.parent)


SENDER: Final = _sender()


@events.init.add_listener  # type: ignore[untyped-decorator]
def begin(**_: Any) -> None:
    """Locust is up. It installs its own handler for SIGTERM only after a shape has ended."""
    gevent.signal_handler(signal.SIGTERM, finish)
    SENDER.ready()


def finish() -> None:
    """Keeps what was measured and ends at once: nothing of Locust's own is worth waiting for."""
    SENDER.flush()
    os._exit(0)


class Shape(LoadTestShape):
    """As many users as the plan wants sources, some seconds before it needs them. Sources never leave."""

    def tick(self) -> tuple[int, float] | None:
        """See ``LoadTestShape.tick``; ends when the plan does."""
        begun = SENDER.begun_s()
        plan = SENDER.plan
        t_s = -plan.warm_up_s if begun is None else SENDER.now_s() - begun
        if t_s >= plan.until_s:
            return None
        number = plan.sources_at(t_s)
        return number, float(number)


class Caller(User):
    """One source: it sleeps until the next arrival and hands it over. Slow answers never slow it."""

    @task
    def call(self) -> None:
        """Never returns."""
        source = Source(SENDER.plan, SENDER.number())
        while (begun := SENDER.begun_s()) is None:
            gevent.sleep(0.02)
        while True:
            limit_s = max(SENDER.now_s() - begun, -SENDER.plan.warm_up_s) + LOOK_S
            at_s = source.next_s(limit_s)
            due_s = begun + (limit_s if at_s is None else at_s)
            # Even one that is late lets the others run.
            gevent.sleep(max(0.0, due_s - SENDER.now_s()))
            if at_s is not None:
                SENDER.offer(source, due_s)
