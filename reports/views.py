"""What several indicators ask of a journal: its header, when the release served everybody, how traffic was shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from sim.model.memory import remembers_last
from sim.model.records import (
    DecisionRecord,
    DeliveryRecord,
    EndRecord,
    FaultRecord,
    HeaderRecord,
    Record,
    SoakRecord,
    StepRecord,
    TrafficRecord,
    Verdict,
    WeightRecord,
)

Journal = tuple[Record, ...]
T = TypeVar("T")

CANDIDATE = "candidate"
STABLE = "stable"
STOPS = frozenset({"abort", "undo", "reject", "switch-back"})
"""Decisions that stop a release or take it back."""
_FULL = 100.0 - 1e-9
_QUIET_S = 3600.0


def of_kind(journal: Journal, kind: type[T]) -> Iterator[T]:
    """The rows of one kind, in order."""
    return (record for record in journal if isinstance(record, kind))


def header_of(journal: Journal) -> HeaderRecord:
    """The journal's first row; ValueError if it is no header."""
    if journal and isinstance(journal[0], HeaderRecord):
        return journal[0]
    msg = "a journal begins with its header"
    raise ValueError(msg)


def end_of(journal: Journal) -> EndRecord:
    """The journal's last row; ValueError if it is no end record."""
    if journal and isinstance(journal[-1], EndRecord):
        return journal[-1]
    msg = "a journal ends with its end record"
    raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Interval:
    """Client side of one traffic or soak row, over ``[start_s, end_s)``."""

    start_s: float
    end_s: float
    side: str
    requests: float
    failures: float


@remembers_last
def intervals(journal: Journal) -> tuple[Interval, ...]:
    """Traffic and soak rows alike."""
    return tuple(
        Interval(r.t_s - r.width_s, r.t_s, r.side, r.client_requests, r.client_failures)
        if isinstance(r, TrafficRecord)
        else Interval(r.t_s - r.width_s, r.t_s, r.side, r.requests, r.failures)
        for r in journal
        if isinstance(r, TrafficRecord | SoakRecord)
    )


@dataclass(frozen=True, slots=True)
class Slot:
    """All clients of all regions in one interval."""

    start_s: float
    end_s: float
    requests: float
    failures: float
    candidate_requests: float

    @property
    def width_s(self) -> float:
        """Length, seconds."""
        return self.end_s - self.start_s


@remembers_last
def slots(rows: Iterable[Interval]) -> tuple[Slot, ...]:
    """All clients together, in time order: cut wherever a row begins or ends, each row spread evenly over its width.

    Regions are recorded in rows of different widths (ten seconds here, a week of soak there); rows without width are
    left out. Stretches that no row covers have no slot.
    """
    used = [row for row in rows if row.end_s > row.start_s]
    starts = sorted(used, key=lambda row: row.start_s)
    edges = sorted({edge for row in used for edge in (row.start_s, row.end_s)})
    active: list[Interval] = []
    found, index = [], 0
    for start, end in pairwise(edges):
        active = [row for row in active if row.end_s > start]
        while index < len(starts) and starts[index].start_s <= start:
            active.append(starts[index])
            index += 1
        if active:
            found.append(_slot(start, end, active))
    return tuple(found)


def _slot(start_s: float, end_s: float, active: Sequence[Interval]) -> Slot:
    parts = [((end_s - start_s) / (row.end_s - row.start_s), row) for row in active]
    return Slot(
        start_s,
        end_s,
        sum(part * row.requests for part, row in parts),
        sum(part * row.failures for part, row in parts),
        sum(part * row.requests for part, row in parts if row.side == CANDIDATE),
    )


@remembers_last
def after_apply(rows: Iterable[Interval]) -> tuple[Interval, ...]:
    """Rows that end after the release was applied; the warm-up is not the release's."""
    return tuple(row for row in rows if row.end_s > 0)


def full_weight_s(journal: Journal) -> float | None:
    """First instant at which every region's routers gave the candidate all traffic; None if that never was."""
    return _first_in_all_regions(journal, lambda weight: weight.candidate >= _FULL)


def took_over_s(journal: Journal) -> float | None:
    """First instant at which no region's routers gave the stable version anything; None if that never was.

    The same as the full weight, unless a strategy routes everybody to where no pod of the release is.
    """
    return _first_in_all_regions(journal, lambda weight: weight.stable <= 100.0 - _FULL)


def exposed_s(journal: Journal) -> float | None:
    """First instant at which some region's routers took traffic from the stable version; None if that never was."""
    return next((w.t_s for w in of_kind(journal, WeightRecord) if w.stable < _FULL), None)


def worsened_s(journal: Journal, start_s: float, end_s: float) -> float:
    """When in ``[start_s, end_s)`` the release first got more traffic or a fault began; ``start_s`` if neither happened."""
    before: dict[str, float] = {}
    for record in journal:
        if isinstance(record, WeightRecord):
            less = record.stable < before.get(record.region, 100.0)
            before[record.region] = record.stable
        else:
            less = isinstance(record, FaultRecord) and record.state == "began"
        if less and start_s <= record.t_s < end_s:
            return record.t_s
    return start_s


def restored_s(journal: Journal) -> float | None:
    """Since when every region's routers have given the stable version all traffic at the end; None if they do not.

    A journal in which they always did has the instant of its first weight; one without weights has None.
    """
    stable: dict[str, bool] = {}
    since: float | None = None
    for record in of_kind(journal, WeightRecord):
        stable[record.region] = record.stable >= _FULL
        since = None if not all(stable.values()) else (record.t_s if since is None else since)
    return since


def quiet_s(journal: Journal) -> tuple[tuple[float, float], ...]:
    """Stretches of an hour or more that were soaked rather than simulated, and in which nothing else happened either."""
    if next(of_kind(journal, SoakRecord), None) is None:
        return ()
    busy = sorted(
        {r.t_s for r in journal if not isinstance(r, SoakRecord | DeliveryRecord)}
        | {r.t_s - r.width_s for r in of_kind(journal, TrafficRecord)}
    )
    return tuple((start, end) for start, end in pairwise(busy) if end - start >= _QUIET_S)


def _first_in_all_regions(journal: Journal, holds: Callable[[WeightRecord], bool]) -> float | None:
    weights = list(of_kind(journal, WeightRecord))
    found = {record.region: False for record in weights}
    for record in weights:
        found[record.region] = holds(record)
        if all(found.values()):
            return record.t_s
    return None


def served_everybody_s(journal: Journal) -> float | None:
    """When the release had come to serve all traffic for good; None for one that never did.

    A promoted release: the end of its rollout, since a full weight that a later step may still take back is not yet a
    release. One that was undone, or ended degraded: its first full weight. Where no weights are known, one that was
    undone served everybody since its promotion.
    """
    end = end_of(journal)
    match end.verdict:
        case Verdict.PROMOTED:
            return end.ended_s
        case Verdict.DEGRADED:
            return full_weight_s(journal)
        case Verdict.UNDONE:
            known = next(of_kind(journal, WeightRecord), None) is not None
            return full_weight_s(journal) if known else _promoted_s(journal)
        case Verdict.ABORTED | Verdict.REJECTED | Verdict.STUCK:
            return None


def reached_everybody(journal: Journal) -> bool:
    """Whether everybody came to depend on the release, whether or not any of its pods could serve them."""
    match end_of(journal).verdict:
        case Verdict.UNDONE:
            return True
        case Verdict.DEGRADED:
            return took_over_s(journal) is not None
        case _:
            return served_everybody_s(journal) is not None


def _promoted_s(journal: Journal) -> float:
    decided = (d.t_s for d in of_kind(journal, DecisionRecord) if d.decision in {"promote", "switch"})
    return next(decided, end_of(journal).ended_s)


def stopped_at(journal: Journal) -> str:
    """The step under way when the release was first decided against: ``step 4 (pause 3m)``; '' if it never was.

    Regions are named where there are any. A strategy without steps has ''.
    """
    stop = next((d for d in of_kind(journal, DecisionRecord) if d.decision in STOPS), None)
    if stop is None:
        return ""
    steps = [s for s in of_kind(journal, StepRecord) if s.region == stop.region and s.t_s <= stop.t_s]
    begun = [step for step in steps if step.state == "started"]
    place = f"step {begun[-1].index + 1} ({begun[-1].step})" if begun else ""
    return f"{stop.region} {place}".strip() if place else ""


def last_s(journal: Journal) -> float:
    """The end of the run; people's work after the rollout may go on beyond it, unobserved."""
    return end_of(journal).t_s
