"""What several indicators ask of a journal: its header, when the release served everybody, how traffic was shared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sim.model.records import (
    DecisionRecord,
    EndRecord,
    HeaderRecord,
    Record,
    SoakRecord,
    TrafficRecord,
    Verdict,
    WeightRecord,
)

Journal = tuple[Record, ...]
T = TypeVar("T")

CANDIDATE = "candidate"
STABLE = "stable"
_FULL = 100.0 - 1e-9


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


def slots(rows: Iterable[Interval]) -> tuple[Slot, ...]:
    """Rows of the same interval added up over sides and regions, in time order."""
    groups: defaultdict[tuple[float, float], list[Interval]] = defaultdict(list)
    for row in rows:
        groups[row.start_s, row.end_s].append(row)
    return tuple(
        Slot(
            start,
            end,
            sum(row.requests for row in group),
            sum(row.failures for row in group),
            sum(row.requests for row in group if row.side == CANDIDATE),
        )
        for (start, end), group in sorted(groups.items())
    )


def after_apply(rows: Iterable[Interval]) -> tuple[Interval, ...]:
    """Rows that end after the release was applied; the warm-up is not the release's."""
    return tuple(row for row in rows if row.end_s > 0)


def full_weight_s(journal: Journal) -> float | None:
    """First instant at which every region's routers gave the candidate all traffic; None if that never was."""
    weights = list(of_kind(journal, WeightRecord))
    full = {record.region: False for record in weights}
    for record in weights:
        full[record.region] = record.candidate >= _FULL
        if all(full.values()):
            return record.t_s
    return None


def served_everybody_s(journal: Journal) -> float | None:
    """When the release had come to serve all traffic for good; None for one that never did.

    A promoted release: the end of its rollout, since a full weight that a later step may still take back is not yet a
    release. One that was undone, or ended degraded: its first full weight, or failing that (undone only) its promotion.
    """
    end = end_of(journal)
    match end.verdict:
        case Verdict.PROMOTED:
            return end.ended_s
        case Verdict.DEGRADED:
            return full_weight_s(journal)
        case Verdict.UNDONE:
            promoted = (d.t_s for d in of_kind(journal, DecisionRecord) if d.decision in {"promote", "switch"})
            full = full_weight_s(journal)
            return next(promoted, end.ended_s) if full is None else full
        case Verdict.ABORTED | Verdict.REJECTED | Verdict.STUCK:
            return None


def last_s(journal: Journal) -> float:
    """The end of the run; people's work after the rollout may go on beyond it, unobserved."""
    return end_of(journal).t_s
