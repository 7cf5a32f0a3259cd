"""Looking at the data plane without disturbing it: everything that is due before something happens, at once."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Protocol

from sim.engine.ground import Ground
from sim.metrics.store import to_ms
from sim.traffic import Look, Samples, WindowSeries


class Grid:
    """Instants at ``begun_s`` and every ``interval_s`` from there on; each is handed out once."""

    def __init__(self, begun_s: float, interval_s: float) -> None:
        self._begun_s, self._interval_s = begun_s, interval_s
        self._count = 0
        self.next_s = begun_s

    def before(self, limit_s: float) -> tuple[float, ...]:
        """The next instants before a limit."""
        found = []
        while self.next_s < limit_s:
            found.append(self.next_s)
            self._count += 1
            self.next_s = self._begun_s + self._count * self._interval_s
        return tuple(found)

    def is_within(self, t_ms: int) -> bool:
        """Whether one of the instants, past or to come, is this millisecond."""
        near = round((t_ms / 1000.0 - self._begun_s) / self._interval_s)
        return any(to_ms(self._begun_s + count * self._interval_s) == t_ms for count in (near - 1, near, near + 1))


class Watch(Protocol):
    """Somebody who reads pods at instants of its own. What it writes down nobody acts on but by asking later."""

    @property
    def next_s(self) -> float:
        """The next instant."""
        ...

    def looks(self, before_s: float) -> Sequence[Look]:
        """What to read at its instants before ``before_s``, until when nothing changes; each is asked for once."""
        ...

    def take(self, samples: Sequence[Samples]) -> None:
        """The answers to these looks."""
        ...


class Windows(Protocol):
    """Somebody who reads what groups did between instants of its own."""

    @property
    def next_s(self) -> float:
        """The end of the window that is open."""
        ...

    def ends(self, before_s: float) -> tuple[float, ...]:
        """The windows' ends before ``before_s``; each is given once."""
        ...

    def take(self, windows: WindowSeries) -> None:
        """The windows that end there."""
        ...


class Lookout:
    """Asks the data plane what all watches want to see, before anything changes it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._watches: list[Watch] = []
        self._windows: Windows | None = None
        ground.clock.lookout = self.look

    def add(self, watch: Watch) -> None:
        """Another watch."""
        self._watches.append(watch)
        self._expect()

    def sample(self, windows: Windows) -> None:
        """Whoever takes the windows; there is one."""
        self._windows = windows
        self._expect()

    def look(self, before_s: float) -> None:
        """See everything that is due before an instant; what happens there has not happened yet."""
        asked = [(watch, watch.looks(before_s)) for watch in self._watches if watch.next_s < before_s]
        ends_s = self._windows.ends(before_s) if self._windows is not None else ()
        looks = [look for _, several in asked for look in several]
        if looks or ends_s:
            seen = self._ground.plane.observe(looks, ends_s)
            answers = iter(seen.samples)
            for watch, several in asked:
                watch.take([next(answers) for _ in several])
            if self._windows is not None and seen.windows is not None:
                self._windows.take(seen.windows)
        self._expect()

    def _expect(self) -> None:
        due_s = min((watch.next_s for watch in self._watches), default=inf)
        self._ground.clock.due_s = min(due_s, self._windows.next_s if self._windows is not None else inf)
