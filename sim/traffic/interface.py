"""What every data plane offers the engine, and how many readings of it are asked for at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.model.behaviour import VersionBehaviour
from sim.traffic.values import Counts, PodEffects, PodSample, Route, WindowCount

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Look:
    """Pods to be read at coming instants (ascending, seconds, none before the plane's ``now_s``), and what of them."""

    instants_s: tuple[float, ...]
    pods: tuple[int, ...]
    buckets: bool = True
    """The exposed histogram."""
    fine: bool = False
    """The fine histogram."""
    refused: bool = False
    """What proxies answered themselves."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The answer to one look: each pod's totals at each instant, as ``pod_sample`` would have given them there.

    ``codes`` is the HTTP status of each slot; a status may have several. A histogram not asked for is 0 wide.
    """

    codes: tuple[int, ...]
    answers: Counts
    """(instants, pods, slots)."""
    buckets: Counts
    """(instants, pods, bounds + 1), not cumulated over the bounds."""
    latency_sum_s: Floats
    """(instants, pods)."""
    fine: Counts
    """(instants, pods, fine buckets)."""
    refused: tuple[Mapping[str, int], ...]
    """By instant, as ``refused`` would have said; empty if not asked for."""


@dataclass(frozen=True, slots=True)
class WindowSeries:
    """Successive windows of every group, as ``take_window`` at each instant would have given them.

    The first begins where the last window taken before ended. A group that did nothing has zeros; ``NONE_GROUP`` is
    always there.
    """

    instants_s: tuple[float, ...]
    """Where each window ends."""
    groups: tuple[int, ...]
    """Ascending."""
    codes: tuple[int, ...]
    """HTTP status of each slot; a status may have several."""
    answers: Counts
    """(windows, groups, slots)."""
    buckets: Counts
    """(windows, groups, bounds + 1), not cumulated over the bounds."""
    latency_sum_s: Floats
    """(windows, groups)."""
    clients: Counts
    """(windows, groups, 4): requests that ended, those that finally failed, attempts given up, attempts made again."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Answers to the looks, in their order, and the windows."""

    samples: tuple[Samples, ...]
    windows: WindowSeries | None = field(default=None)
    """None where none were asked for."""


class Plane(Protocol):
    """Requests of one replication. The owner advances to the instant of a change and makes it; nothing reads ahead.

    Whatever is read is as of ``now_s``: answers given before it.
    """

    now_s: float
    is_silent: bool
    """Nobody ever calls."""

    @property
    def exact_s(self) -> float:
        """For how long every request has been simulated, seconds."""
        ...

    def advance(self, to_s: float) -> None:
        """Simulate everything before ``to_s``; ValueError where the plane is beyond it."""
        ...

    def observe(self, looks: Sequence[Look], windows_s: tuple[float, ...] = ()) -> Observation:
        """Advance through all these instants, the last of which is then ``now_s``, reading on the way.

        Nothing changes from outside in between, which is why one call can do it. ``windows_s`` (ascending) are the ends
        of successive windows: each is taken, as by ``take_window``.
        """
        ...

    def add_pod(self, behaviour: VersionBehaviour, group: int) -> int:
        """Index of a new idle pod of a group (>= 0); nothing is routed to it yet."""
        ...

    def set_effects(self, pod: int, effects: PodEffects) -> None:
        """Replace a pod's effects, for all requests that start service after now."""
        ...

    def set_routes(self, routes: tuple[Route, ...]) -> None:
        """Route every attempt from now on this way."""
        ...

    def crash_pod(self, pod: int) -> None:
        """Answer 502 now to everything queued or in service at a pod."""
        ...

    def drain_pod(self, pod: int) -> None:
        """Let a pod that is in no route any more finish what it has."""
        ...

    def pod_sample(self, pod: int, *, buckets: bool = True, fine: bool = True) -> PodSample:
        """A pod's totals now; each histogram only if asked for."""
        ...

    def take_window(self) -> tuple[WindowCount, ...]:
        """What each group did since the last window, ascending by group."""
        ...

    def refused(self) -> dict[str, int]:
        """Requests since the start that proxies answered 503 themselves, by cluster."""
        ...

    def offered_rps(self, pod: int) -> float:
        """Attempts a second that reached a pod since the last window; 0 at that very instant."""
        ...
