"""What one walk through a rollout came to, instant by instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sim.timetable.runs import RunKey


@dataclass(frozen=True, slots=True)
class Frame:
    """What holds after one reconcile."""

    t_s: float
    step: int | None
    """Index of the current step."""
    weight: float
    """Percent of the traffic that the release gets."""
    candidate: int
    stable: int
    other: int
    leaving: int
    waits: int
    """Open-ended waits for a person so far, which take no time here."""
    ready: bool
    """All pods that the release wants now are available."""
    paused: bool
    stable_is_new: bool
    healthy: bool
    aborted: bool

    @property
    def pods(self) -> int:
        """Pods wanted."""
        return self.candidate + self.stable + self.other


@dataclass(frozen=True, slots=True)
class RunSpan:
    """One analysis run: when it was created, when it ended (None: it did not), and the waits before it."""

    key: RunKey
    start_s: float
    end_s: float | None
    waits: int


@dataclass(frozen=True, slots=True)
class Walk:
    """Frames from the apply until nothing is left to happen. ``stopped`` is why it stopped short, or ''."""

    frames: tuple[Frame, ...]
    runs: tuple[RunSpan, ...]
    stopped: str = ""
    grace_s: float = 0.0
    """How long a deleted pod may go on."""

    @property
    def end(self) -> Frame | None:
        """When the release serves everybody by the controller's word; None if it never does."""
        return next((one for one in self.frames if one.stable_is_new and one.healthy), None)

    @property
    def aborted(self) -> Frame | None:
        """When it was aborted."""
        return next((one for one in self.frames if one.aborted), None)

    @property
    def updating(self) -> tuple[Frame, ...]:
        """Up to the promotion."""
        promoted = next((index for index, one in enumerate(self.frames) if one.stable_is_new), len(self.frames))
        return self.frames[:promoted]

    @property
    def highest(self) -> float:
        """The highest weight up to the promotion."""
        return max((frame.weight for frame in self.updating), default=0.0)

    def run(self, key: RunKey) -> RunSpan | None:
        """The first run of this key."""
        return next((one for one in self.runs if one.key == key), None)

    def stretches(self, start_s: float, end_s: float) -> Iterator[tuple[float, Frame]]:
        """(seconds, what held) between two instants."""
        for here, after in pairwise(self.frames):
            seconds = min(end_s, after.t_s) - max(start_s, here.t_s)
            if seconds > 0:
                yield seconds, here
        last = self.frames[-1]
        if end_s > last.t_s:
            yield end_s - max(start_s, last.t_s), last


def weight_times(walk: Walk, start_s: float, end_s: float) -> dict[float, float]:
    """Seconds spent at each weight above 0 between two instants."""
    found: dict[float, float] = {}
    for seconds, frame in walk.stretches(start_s, end_s):
        if frame.weight > 0:
            found[frame.weight] = found.get(frame.weight, 0.0) + seconds
    return found
