"""One line for every attempt at a request: what Locust's process writes and everybody else reads. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

COLUMNS: Final = "scheduled_s,start_s,end_s,class,attempt,status,timed_out,again,side,pod,took_s,error"
"""First line of the file: whoever waits for the generator to be up waits for this line."""
OVERFLOW: Final = "overflow"
"""Error of a request that was due while as many as may be were under way: it was never sent."""

SIDE_HEADER: Final = "x-rolltwin-side"
POD_HEADER: Final = "x-rolltwin-pod"
TIMEOUT_HEADER: Final = "x-rolltwin-timeout"
"""Set by the gateway on an answer of its own, given because the client's patience was over."""
TOOK_HEADER: Final = "x-rolltwin-took"
"""Seconds that the pod had the request, waiting included."""
MESH_HEADER: Final = "x-rolltwin-mesh"
"""Sent with requests that come from inside the mesh rather than through the ingress gateway."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Times are UNIX seconds. ``status`` is 0 without an answer; ``side`` and ``pod`` are '' where no pod was reached."""

    scheduled_s: float
    """When it was due: a Poisson arrival, or for a retry the end of the client's pause."""
    start_s: float
    end_s: float
    request_class: int
    """Place in the plan's classes."""
    attempt: int
    """0 for the first."""
    status: int
    timed_out: bool
    again: bool
    """Whether another attempt follows."""
    side: str
    pod: str
    took_s: float | None
    """What the pod itself says that it took; None where it says nothing."""
    error: str
    """Of the connection; '' where there was an answer or a time-out."""

    @property
    def sent(self) -> bool:
        """Whether it left the client at all."""
        return self.error != OVERFLOW

    @property
    def lag_s(self) -> float:
        """How much later than due it was sent."""
        return self.start_s - self.scheduled_s


def line_of(attempt: Attempt) -> str:
    """The attempt as one line, with its line end; commas in what a server says are dropped."""
    took = "" if attempt.took_s is None else f"{attempt.took_s:.6f}"
    flags = f"{attempt.status},{attempt.timed_out:d},{attempt.again:d}"
    times = f"{attempt.scheduled_s:.6f},{attempt.start_s:.6f},{attempt.end_s:.6f}"
    words = ",".join(_word(text) for text in (attempt.side, attempt.pod))
    return f"{times},{attempt.request_class},{attempt.attempt},{flags},{words},{took},{_word(attempt.error)}\n"


def attempts_of(lines: Iterable[str]) -> list[Attempt]:
    """The attempts of whole lines, in the order written; ValueError for a line that is none."""
    return [_attempt(line) for line in lines if line != COLUMNS]


def _attempt(line: str) -> Attempt:
    scheduled, start, end, kind, attempt, status, timed_out, again, side, pod, took, error = line.split(",")
    return Attempt(
        scheduled_s=float(scheduled),
        start_s=float(start),
        end_s=float(end),
        request_class=int(kind),
        attempt=int(attempt),
        status=int(status),
        timed_out=timed_out == "1",
        again=again == "1",
        side=side,
        pod=pod,
        took_s=float(took) if took else None,
        error=error,
    )


def _word(text: str) -> str:
    return " ".join(text.replace(",", " ").split())
