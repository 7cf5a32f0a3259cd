"""What a metric judges, once its query is understood: ``Share`` (of bad requests) or ``Quantile`` (of latencies)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from scenarios.power.probes import CANARY, Taken
from scenarios.power.shares import Judge, Unread, Value, Verdicts, divided, of_share

BAD, GOOD, ALL = "bad", "good", "all"
MIXED = "it divides counts over different windows"


@dataclass(frozen=True)
class Share:
    """A metric that judges which share of the requests is bad: answered with an error, or slower than a bound."""

    verdicts: Verdicts
    window_s: float
    sides: frozenset[str]
    statuses: frozenset[int] = frozenset()
    """Statuses that are bad."""
    slower_than_s: float | None = None
    """The bound, for a share of slow requests; None for a share of errors."""
    needs_bad: bool = False
    """Whether there is no answer as long as nothing bad ever happened."""
    bucket_s: float = 0.0
    """Of Datadog: the bucket that the last point stands for."""

    @property
    def is_slowness(self) -> bool:
        """Whether it is about latency."""
        return self.slower_than_s is not None


@dataclass(frozen=True)
class Quantile:
    """A metric that judges a quantile of the latencies in a histogram."""

    verdicts: Verdicts
    """On the quantile in seconds."""
    level: float
    bounds_s: tuple[float, ...]
    window_s: float
    sides: frozenset[str]


Reading = Share | Quantile


@dataclass(frozen=True)
class Leaf:
    """One count of a query: what it takes, over which window."""

    taken: Taken
    window_s: float
    bound_s: float | None = None
    """Upper bound of a histogram bucket; None for whole counts."""
    of_histogram: bool = False
    filled: bool = False
    """Whether its absence counts as zero."""


@dataclass(frozen=True)
class Parts:
    """A query taken apart: arithmetic over its leaves."""

    leaves: list[Leaf]
    value: Callable[[list[float]], float]
    fill: float | None


OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": divided,
}
"""What both query languages compute with counts."""


def with_leaf(leaves: list[Leaf], leaf: Leaf) -> Callable[[list[float]], float]:
    """What reads one more count among all of a query's."""
    leaves.append(leaf)
    place = len(leaves) - 1
    return lambda counts: counts[place]


def share_of(judge: Judge, parts: Parts, bucket_s: float) -> Share:
    """The share that the counts come to; ``Unread`` with the reason if they come to none."""
    if not parts.leaves:
        raise Unread(why="it counts no requests")
    windows = {leaf.window_s for leaf in parts.leaves}
    if len(windows) > 1:
        raise Unread(why=MIXED)
    sides = {leaf.taken.sides for leaf in parts.leaves if leaf.taken.sides}
    if len(sides) > 1:
        raise Unread(why="it compares the release with the stable version")
    sees = seen(next(iter(sides), frozenset()))
    slow = _bound_of(parts.leaves)
    roles = [_role(leaf, slow) for leaf in parts.leaves]
    if ALL not in roles or not {BAD, GOOD} & set(roles):
        raise Unread(why="it is no share of requests: nothing bad is divided by all")
    statuses = _bad_statuses(parts.leaves, roles) if slow is None else frozenset()

    def value(bad: float, total: float) -> float:
        numbers = {BAD: bad, GOOD: total - bad, ALL: total}
        return parts.value([numbers[role] for role in roles])

    needs_bad = any(role == BAD and not leaf.filled for role, leaf in zip(roles, parts.leaves, strict=True))
    needs_bad = needs_bad and slow is None
    verdicts = of_share(judge, _guarded(value), parts.fill)
    return Share(verdicts, windows.pop(), sees, statuses, slow, needs_bad, bucket_s)


def _guarded(value: Value) -> Value:
    def guarded(bad: float, total: float) -> float:
        try:
            return value(bad, total)
        except OverflowError:
            return inf

    return guarded


def seen(sides: frozenset[str]) -> frozenset[str]:
    """The versions, if the release is among them."""
    if not sides:
        raise Unread(why="it finds no series of the release's pods, nor of the stable version's")
    if CANARY not in sides:
        raise Unread(why="it looks at the stable version only")
    return sides


def _bound_of(leaves: list[Leaf]) -> float | None:
    bounds = {leaf.bound_s for leaf in leaves if leaf.bound_s is not None and leaf.bound_s != inf}
    if not bounds:
        return None
    if len(bounds) > 1 or not all(leaf.of_histogram for leaf in leaves):
        raise Unread(why="it mixes several buckets of a histogram")
    return bounds.pop()


def _role(leaf: Leaf, slow: float | None) -> str:
    if slow is not None:
        return GOOD if leaf.bound_s == slow else ALL
    if leaf.taken.is_all:
        return ALL
    if leaf.taken.is_good:
        return GOOD
    if leaf.taken.is_bad:
        return BAD
    raise Unread(why="what it counts is neither all requests nor only good nor only bad ones")


def _bad_statuses(leaves: list[Leaf], roles: list[str]) -> frozenset[int]:
    every = frozenset().union(*(leaf.taken.statuses for leaf, role in zip(leaves, roles, strict=True) if role == ALL))
    bad = [leaf.taken.statuses for leaf, role in zip(leaves, roles, strict=True) if role == BAD]
    good = [leaf.taken.statuses for leaf, role in zip(leaves, roles, strict=True) if role == GOOD]
    found = {*(frozenset(one) for one in bad), *(every - one for one in good)}
    if len(found) > 1:
        raise Unread(why="it counts two kinds of errors")
    return found.pop()
