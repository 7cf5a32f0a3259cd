"""The timetable: frozen rows that say when, with which pods and weights, and watched by what. Seconds since the apply."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PODS = "pods"
"""Where the progress deadline looks."""


@dataclass(frozen=True, slots=True)
class Instant:
    """When something happens: not before ``earliest_s``, and by ``latest_s`` at the latest.

    None is never (``earliest_s``) or open-ended (``latest_s``). ``after_wait``: it comes after a person was waited for,
    which both bounds leave out.
    """

    earliest_s: float | None
    latest_s: float | None
    after_wait: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One step, or one stretch of a strategy without steps, with what holds at its end."""

    number: int | None
    """Of a canary step, from 1; None for what comes besides the steps."""
    what: str
    start: Instant
    end: Instant
    weight: float
    """Percent of the traffic that the release gets when the row ends; by pods where no router splits it."""
    candidate_pods: int
    stable_pods: int
    other_pods: int = 0
    """Pods of experiments."""
    gates: tuple[str, ...] = ()
    """Gates that measure meanwhile and can abort."""
    waits_for_person: bool = False
    note: str = ""

    @property
    def pods(self) -> int:
        """All pods wanted when the row ends."""
        return self.candidate_pods + self.stable_pods + self.other_pods


class Ability(StrEnum):
    """Whether a gate stops a version that fails its condition at every measurement."""

    ALWAYS = "always"
    """It does, within its bound."""
    MAYBE = "maybe"
    """Only if the rollout is slow: it may be promoted (or the gate ended) first."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Exposure:
    """Traffic that a failing version can have had until it is aborted: (percent, seconds) rising, and its sum."""

    at: tuple[tuple[float, float], ...] = ()

    @property
    def full_traffic_s(self) -> float:
        """Seconds at full traffic that come to the same."""
        return sum(weight * seconds for weight, seconds in self.at) / 100.0

    @property
    def highest(self) -> float:
        """The highest percentage."""
        return max((weight for weight, seconds in self.at if seconds > 0), default=0.0)


@dataclass(frozen=True, slots=True)
class Gate:
    """One metric at one place of the rollout (or the progress deadline, or a script's checks)."""

    name: str
    where: str
    """``background``, ``step 3``, ``before promotion``, ``after promotion``, ``progress deadline``, ``switch script`` ..."""
    rule: str
    """Limits and intervals in words."""
    start: Instant
    end: Instant
    """When it stops watching a good release."""
    ability: Ability
    reason: str = ""
    """Why it cannot abort, or only maybe."""
    earliest_abort_s: float | None = None
    """Earliest abort it can cause, by a failure or by errors."""
    bound_s: float | None = None
    """A version that fails at every measurement is aborted by then; None if there is no such instant."""
    bound_with_errors_s: float | None = None
    """The same if as many measurements in between end in Error as are tolerated."""
    bound_with_traffic_s: float | None = None
    """The same if measurements fail only once the release has traffic; None where that is ``bound_s`` or unknown."""
    first_measurement_s: float | None = None
    interval_s: float | None = None
    measurements: int | None = None
    exposure: Exposure = Exposure()
    """Until ``bound_s``, at most."""
    exposure_with_traffic: Exposure = Exposure()
    """Until ``bound_with_traffic_s``, at most."""

    @property
    def is_for_pods(self) -> bool:
        """Whether it looks at pods, not at what they answer: the progress deadline."""
        return self.where == PODS


@dataclass(frozen=True, slots=True)
class Peak:
    """The most pods that a good release ever has, and in which row first."""

    pods: int
    with_leaving: int
    """With those that are terminating."""
    row: int
    at_s: float
    if_aborted: int
    """The most there ever are (terminating ones aside) wherever the release is aborted."""


@dataclass(frozen=True, slots=True)
class Relief:
    """From an abort at the highest weight: until no traffic is left, and until the release's pods are gone (None: never)."""

    weight: float
    traffic_off: Instant
    pods_gone: Instant


@dataclass(frozen=True, slots=True)
class Point:
    """What holds from ``t_s`` on, on the way of a good release at its fastest (or slowest)."""

    t_s: float
    weight: float
    candidate_pods: int
    stable_pods: int
    pods: int


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a regional rollout: its regions, when it begins, when its regions have the release, when its soak ends."""

    name: str
    regions: tuple[str, ...]
    start: Instant
    released: Instant
    soak_s: float
    end: Instant


@dataclass(frozen=True, slots=True)
class Timetable:
    """Everything that can be said of a rollout before it is run."""

    subject: str
    """``Rollout shop``."""
    strategy: str
    replicas: int
    rows: tuple[Row, ...]
    end: Instant
    """When the release serves everybody, by the controller's own word."""
    ending: str
    """Why it never ends, or ''."""
    gates: tuple[Gate, ...]
    unwatched: tuple[int, ...]
    """Indices of rows that give the release traffic while no gate measures."""
    earliest_abort_s: float | None
    bound_s: float | None
    """A version that fails every gate is aborted by then."""
    peak: Peak
    extra_pod_hours: float | None
    """Above the desired number, at most; None if a person's wait has no bound."""
    relief: Relief | None
    fastest: tuple[Point, ...]
    slowest: tuple[Point, ...]
    assumptions: tuple[str, ...]
    notes: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
