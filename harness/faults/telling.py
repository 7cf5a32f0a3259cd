"""Telling the application's pods which faults act on them, in the background: a pod that does not answer holds up nobody."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Final, TypeVar

from harness.app.environment import ADMIN_PORT, FAULTS_PATH, STATE_PATH, told
from harness.cluster.connection import ApiError, LostError
from harness.cluster.objects import Objects
from harness.faults.pods import Subject
from sim.model.behaviour import Fault

AGAIN_S: Final = 1.0
"""Before a pod that did not answer is asked again: it may only just have begun to run."""

T = TypeVar("T")


@dataclass(slots=True)
class _Asked:
    """What one container was last asked, and has been told."""

    told: tuple[Fault, ...] = ()
    wanted: tuple[Fault, ...] = ()
    telling: Future[bool] | None = None
    not_before_s: float = 0.0
    looking: Future[frozenset[str]] | None = None
    looked_s: float = 0.0
    acting: frozenset[str] = frozenset()


@dataclass(slots=True)
class Teller:
    """One for each run. ``now`` is any clock that goes forward, seconds."""

    objects: Objects
    executor: Executor
    now: Callable[[], float]
    _asked: dict[str, _Asked] = field(default_factory=dict)

    def tell(self, pod: Subject, faults: Sequence[Fault]) -> None:
        """Sees to it that exactly these faults act on the pod; called as often as one likes."""
        if not pod.container or pod.leaves:
            return
        asked = self._asked.setdefault(pod.container, _Asked())
        self._take_in(asked)
        if asked.telling is None and asked.told != tuple(faults) and self.now() >= asked.not_before_s:
            asked.wanted = tuple(faults)
            asked.telling = self.executor.submit(self._told, pod.name, asked.wanted)

    def acting(self, pod: Subject, every_s: float) -> frozenset[str]:
        """Names of the faults that the pod itself said act on it, when it was last asked: at most ``every_s`` ago."""
        if not pod.container:
            return frozenset()
        asked = self._asked.setdefault(pod.container, _Asked())
        if asked.looking is not None and asked.looking.done():
            asked.acting, asked.looking = asked.looking.result(), None
        if asked.looking is None and self.now() >= asked.looked_s + every_s and not pod.leaves:
            asked.looked_s = self.now()
            asked.looking = self.executor.submit(self._said, pod.name)
        return asked.acting

    def _take_in(self, asked: _Asked) -> None:
        if asked.telling is not None and asked.telling.done():
            if asked.telling.result():
                asked.told = asked.wanted
            else:
                asked.not_before_s = self.now() + AGAIN_S
            asked.telling = None

    def _told(self, pod: str, faults: tuple[Fault, ...]) -> bool:
        body = told(faults).encode()
        try:
            self.objects.proxied("POST", pod, ADMIN_PORT, FAULTS_PATH, body)
        except (ApiError, LostError):
            return False
        return True

    def _said(self, pod: str) -> frozenset[str]:
        try:
            state = json.loads(self.objects.proxied("GET", pod, ADMIN_PORT, STATE_PATH))
        except (ApiError, LostError):
            return frozenset()
        return frozenset(state["acting"])
