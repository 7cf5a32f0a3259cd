"""What becomes of the gates' verdicts: enforced as the controller does, or only observed so that questions can be asked later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.decide import analysis
from sim.decide.arguments import RunContext
from sim.metrics.providers import Sources
from sim.metrics.scripts import Origin
from sim.model.actions import Decision
from sim.model.analysis import (
    AnalysisPhase,
    AnalysisRunStatus,
    Measurement,
    MetricResult,
    Provider,
    ProviderResult,
)
from sim.model.changing import replace
from sim.model.records import Record
from sim.model.rollout import Observed, RolloutSpec

if TYPE_CHECKING:
    from sim.decide.analysis import Task
    from sim.engine.analyst import Run
    from sim.engine.telemetry import Collector, Eyes

_BAD = frozenset({AnalysisPhase.FAILED, AnalysisPhase.ERROR, AnalysisPhase.INCONCLUSIVE})


class Watch:
    """Enforces every verdict and keeps nothing."""

    def asks(self, collector: Collector) -> None:
        """What can be asked during the run, of whom."""

    def presumed(self, task: Task, now_s: float, sources: Sources, origin: Origin) -> Measurement | None:
        """What a measurement is taken to be without asking; None: it is to be taken."""

    def settled(self, rows: Sequence[Record]) -> tuple[Record, ...]:
        """The rows of the run when it is over."""
        return tuple(rows)

    def eyes(self, own: Eyes) -> Eyes:
        """Which series are collected; ``own`` are those that the scenario's gates read."""
        return own

    def began(self, run: Run, context: RunContext) -> None:
        """An analysis run was created."""

    def told_to_end(self, run: Run, now_s: float) -> None:
        """An analysis run was asked to end."""

    def recorded(self, run: Run, measurements: Mapping[str, Measurement], now_s: float) -> AnalysisRunStatus:
        """The run's status after a pass that ended now."""
        return analysis.record(run.spec, run.status, measurements, now_s)

    def answered(
        self, provider: Provider, origin: Origin, now_s: float, begun_s: float | None, result: ProviderResult
    ) -> None:
        """A provider was asked for a measurement that began at ``begun_s``."""

    def told(self, run: Run, now_s: float) -> None:
        """A run's phase changed, of which the rollout controller hears now."""

    def noticed(self, now_s: float) -> None:
        """The rollout controller heard that something it watches changed; of an analysis run, or of anything else."""

    def reconciled(self, look: Look) -> None:
        """The rollout controller looked."""

    def outage(self, provider: str, now_s: float, *, begins: bool) -> None:
        """A provider went down, or came back."""


@dataclass(frozen=True, slots=True)
class Look:
    """One reconcile: what was seen and decided; ``decision`` is None where a run could not be created."""

    spec: RolloutSpec
    observed: Observed
    decision: Decision | None
    goes_on: bool
    """Whether the controller looks again by itself."""
    wake_s: float | None
    """When it looks again at the latest."""


@dataclass(slots=True)
class Course:
    """One analysis run under observation."""

    run: Run
    context: RunContext
    told: list[tuple[float, AnalysisPhase]] = field(default_factory=list)
    """When the rollout controller heard of which phase."""
    told_to_end_s: float | None = None


class Observing(Watch):
    """Lets every gate measure but end no run badly, and keeps what gates of other settings would ask.

    A verdict that would end a run badly is counted as a success instead, from that measurement on: until then the run is
    what it would have been. A run that cannot even be judged (its templates do not resolve) ends as it does elsewhere.
    """

    def __init__(self, eyes: Eyes | None = None) -> None:
        self._eyes = eyes
        self.sources: Callable[[], Sources] = Sources
        self.courses: list[Course] = []
        self.looks: list[Look] = []
        self.notices: list[float] = []
        self.outages: list[tuple[float, str, bool]] = []
        self.answers: dict[tuple[Provider, Origin, float, float | None], ProviderResult] = {}
        self.forgave = False
        """Whether any verdict was overruled; as long as none was, this is the run as it would have been anyway."""
        self._known: dict[int, Course] = {}

    def asks(self, collector: Collector) -> None:
        """See ``Watch``."""
        self.sources = collector.sources

    def eyes(self, own: Eyes) -> Eyes:
        """See ``Watch``: those of every setting that will be asked about."""
        return own if self._eyes is None else self._eyes

    def began(self, run: Run, context: RunContext) -> None:
        """See ``Watch``."""
        course = self._known[id(run)] = Course(run, context)
        self.courses.append(course)

    def told_to_end(self, run: Run, now_s: float) -> None:
        """See ``Watch``."""
        course = self._known[id(run)]
        if course.told_to_end_s is None:
            course.told_to_end_s = now_s

    def recorded(self, run: Run, measurements: Mapping[str, Measurement], now_s: float) -> AnalysisRunStatus:
        """See ``Watch``; good whatever was measured."""
        status = super().recorded(run, measurements, now_s)
        if not _is_bad(status):
            return status
        self.forgave = True
        good = {name: _passed(one) for name, one in measurements.items()}
        return _forgiven(super().recorded(run, good, now_s))

    def answered(
        self, provider: Provider, origin: Origin, now_s: float, begun_s: float | None, result: ProviderResult
    ) -> None:
        """See ``Watch``."""
        self.answers[provider, origin, now_s, begun_s] = result

    def told(self, run: Run, now_s: float) -> None:
        """See ``Watch``."""
        self._known[id(run)].told.append((now_s, run.status.phase))

    def noticed(self, now_s: float) -> None:
        """See ``Watch``."""
        self.notices.append(now_s)

    def reconciled(self, look: Look) -> None:
        """See ``Watch``."""
        self.looks.append(look)

    def outage(self, provider: str, now_s: float, *, begins: bool) -> None:
        """See ``Watch``."""
        self.outages.append((now_s, provider, begins))


def _is_bad(status: AnalysisRunStatus) -> bool:
    return status.phase in _BAD or any(_is_bad_result(one) for one in status.metric_results)


def _is_bad_result(result: MetricResult) -> bool:
    return result.phase in _BAD and not result.dry_run


def _passed(measurement: Measurement) -> Measurement:
    if not measurement.phase.is_completed:
        return measurement
    return replace(measurement, phase=AnalysisPhase.SUCCESSFUL)


def _forgiven(status: AnalysisRunStatus) -> AnalysisRunStatus:
    """The status with every bad verdict that is left (a streak that the count leaves no room for) made good."""
    if not _is_bad(status):
        return status
    results = tuple(
        replace(one, phase=AnalysisPhase.SUCCESSFUL) if _is_bad_result(one) else one for one in status.metric_results
    )
    phase = AnalysisPhase.SUCCESSFUL if status.phase in _BAD else status.phase
    return replace(status, phase=phase, metric_results=results)


__all__ = ["Course", "Look", "Observing", "Watch"]
