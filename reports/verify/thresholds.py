"""What agreement is asked for, fixed in a file before anything is run."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path

from scenarios.document.fields import (
    COUNT,
    DURATION,
    INVALID,
    NAME,
    NUMBER,
    SHARE,
    Choice,
    Field,
    ListOf,
    Maybe,
    Reader,
    Section,
)
from scenarios.document.source import read
from scenarios.findings import BadInput

SCHEMA = "rolltwin-thresholds/v1"
DEFAULT = Path(__file__).with_name("thresholds.yaml")
"""The project's own, which its recorded runs are held to."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A time may differ by either of these, whichever is more."""

    relative: float = 0.1
    absolute_s: float = 15.0

    def of(self, time_s: float) -> float:
        """Seconds by which a cluster's time may differ from ``time_s``: ``300 -> 30``, ``60 -> 15``."""
        return max(self.relative * time_s, self.absolute_s)


@dataclass(frozen=True, slots=True)
class LoadLimit:
    """The achieved rate may differ by this share, and by what chance explains."""

    relative: float = 0.05
    deviations: float = 3.0
    """Standard deviations of a Poisson count."""

    def of(self, requests: float) -> float:
        """Requests by which a cluster's count may differ from an expected one."""
        return self.relative * requests + self.deviations * sqrt(requests)


@dataclass(frozen=True, slots=True)
class Near:
    """What is asked of runs near a threshold, where the twin itself ends now this way, now that."""

    scenarios: tuple[str, ...] = ()
    """Their names, stated beforehand: never decided after a run."""
    verdict_share: float = 0.05
    """A cluster's verdict is one that at least this share of the twin's replications has."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Everything that is asked for. What is None is reported and not judged."""

    near: Near = field(default_factory=Near)
    time: TimeLimit = field(default_factory=TimeLimit)
    load: LoadLimit | None = field(default_factory=LoadLimit)
    latency_distance: float | None = None
    """Largest two-sample distance of the latency distributions, by side."""
    replications: int = 20
    """Fewest replications of the twin from which anything is concluded."""
    schema: str = SCHEMA


_SECTION = Section(
    Thresholds,
    (
        Field("schema", Choice((SCHEMA,)), "Version of this format.", required=True),
        Field("time_to_decision", Section(TimeLimit, (
            Field("relative", SHARE, "As a share of the twin's time."),
            Field("absolute", DURATION, "Or this much, whichever is more.", "absolute_s"),
        )), "How much a time to decision may differ.", "time"),
        Field("load", Maybe(Section(LoadLimit, (
            Field("relative", SHARE, "As a share of the twin's requests."),
            Field("deviations", NUMBER, "And so many standard deviations of a Poisson count."),
        ))), "How much the achieved load may differ; none: it is not judged."),
        Field("latency_distance", Maybe(SHARE), "Largest distance of the latency distributions; none: not judged."),
        Field("replications", COUNT, "Fewest replications of the twin."),
        Field("near_threshold", Section(Near, (
            Field("scenarios", ListOf(NAME), "Names of the scenarios near a threshold."),
            Field("verdict_share", SHARE, "Least share of the twin's replications with the cluster's verdict."),
        )), "Scenarios near a threshold, and what is asked of them.", "near"),
    ),
)  # fmt: skip


def load(path: Path) -> Thresholds:
    """The thresholds in a file; BadInput with everything that is wrong with it."""
    source = read(path)
    reader = Reader(source, [*source.findings])
    found = _SECTION.read(source.data, (), reader)
    if found is INVALID or reader.findings:
        raise BadInput(reader.findings)
    thresholds: Thresholds = found
    return thresholds
