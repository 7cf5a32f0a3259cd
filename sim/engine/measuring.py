"""One sample of one metric: asked of the simulated backends or of the scenario's script, judged as its provider judges."""

from __future__ import annotations

from sim.decide.analysis import Task
from sim.engine.observing import Watch
from sim.metrics import judging, providers
from sim.metrics.providers import Sources
from sim.metrics.scripts import Origin
from sim.model.analysis import Measurement


def measured(  # noqa: PLR0913  # when, of what, for whom
    task: Task,
    now_s: float,
    sources: Sources,
    origin: Origin,
    begun_s: float | None = None,
    *,
    watch: Watch | None = None,
) -> Measurement:
    """The sample; its times are the caller's, but for when to look again at one that stays in flight.

    ``begun_s`` is when a measurement in flight began, in whole seconds as the API server keeps it.
    """
    if task.terminate:
        return Measurement(task.ends_as, message="Metric Terminated")
    result = providers.measure(task.metric.provider, now_s, sources, origin, begun_s)
    if watch is not None:
        watch.answered(task.metric.provider, origin, now_s, begun_s, result)
    since_s = (now_s if begun_s is None else begun_s) if task.resume else None
    return judging.judged(task.metric, result, now_s, sources.controller, since_s)
