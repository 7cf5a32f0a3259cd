"""Gates presumed to be passed, and asked later, many at a time: the very same replication comes of it, or none.

Most gates of most replications are passed. As long as they are, nothing that happens depends on when they are asked, and
what monitoring has stored is read with less work all at once than bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sim.engine.observing import Watch
from sim.metrics import judging, providers
from sim.metrics.providers import Sources
from sim.metrics.scripts import Origin
from sim.model.analysis import AnalysisPhase, Measurement, Metric, PrometheusProvider
from sim.model.records import MeasurementRecord, Record

if TYPE_CHECKING:
    from sim.decide.analysis import Task
    from sim.engine.telemetry import Collector

_FIRST: Final = 4
"""Questions left open before they are asked. Twice as many each time: a gate that is not passed is found out early in
proportion to how much would have to be simulated again."""
_AHEAD: Final = ("@", "offset")
"""What lets a query look at other times than its own."""


class PresumedWronglyError(Exception):
    """A gate that was presumed to be passed is not: what was simulated is worth nothing."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A measurement presumed to be a success, and the name under which it stands in the journal."""

    name: str
    metric: Metric
    provider: PrometheusProvider
    now_s: float
    sources: Sources
    origin: Origin


class Presuming(Watch):
    """Enforces every verdict as ``Watch`` does, for as long as all are good; else PresumedWronglyError."""

    def __init__(self) -> None:
        self._collector: Collector | None = None
        self._open: list[_Question] = []
        self._asked: dict[str, str] = {}
        self._most = _FIRST

    def asks(self, collector: Collector) -> None:
        """See ``Watch``."""
        self._collector = collector

    def presumed(self, task: Task, now_s: float, sources: Sources, origin: Origin) -> Measurement | None:
        """See ``Watch``: a success with a name for a value, where the same can be asked later."""
        collector, provider = self._collector, task.metric.provider
        if collector is None or task.terminate or not isinstance(provider, PrometheusProvider):
            return None
        if not _can_wait(provider, sources) or collector.is_scraping(now_s):
            return None
        if len(self._open) >= self._most:
            collector.catch_up()
            self._settle()
            self._most *= 2
        name = f"\0{len(self._asked) + len(self._open)}"
        self._open.append(_Question(name, task.metric, provider, now_s, sources, origin))
        return Measurement(AnalysisPhase.SUCCESSFUL, value=name)

    def settled(self, rows: Sequence[Record]) -> tuple[Record, ...]:
        """See ``Watch``: with what was really measured."""
        self._settle()
        return tuple(self._with_value(row) if isinstance(row, MeasurementRecord) else row for row in rows)

    def _with_value(self, row: MeasurementRecord) -> MeasurementRecord:
        value = self._asked.get(row.value)
        return row if value is None else replace(row, value=value)

    def _settle(self) -> None:
        """Asks everything that is open, each query's questions together."""
        together: dict[PrometheusProvider, list[_Question]] = {}
        for one in self._open:
            together.setdefault(one.provider, []).append(one)
        for provider, questions in together.items():
            with providers.foreseen(provider, [one.now_s for one in questions], questions[0].sources):
                for one in questions:
                    self._asked[one.name] = _answer(one)
        self._open.clear()


def _answer(question: _Question) -> str:
    """The value measured; PresumedWronglyError for one that is no success."""
    result = providers.measure(question.provider, question.now_s, question.sources, question.origin)
    found = judging.judged(question.metric, result, question.now_s, question.sources.controller)
    if found.phase is not AnalysisPhase.SUCCESSFUL or found.message:
        raise PresumedWronglyError
    return found.value


def _can_wait(provider: PrometheusProvider, sources: Sources) -> bool:
    """Whether the answer is the same when asked later: a query of its own time, to a server that answers now."""
    if provider.range_query is not None or "prometheus" in sources.outages:
        return False
    return not any(word in provider.query for word in _AHEAD)
