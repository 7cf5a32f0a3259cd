"""What a Rollout controller orders of the analysis controller, and what both know of the run that comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sim.decide.arguments import RunContext
from sim.decide.runs import reference_of
from sim.decide.templates import TemplateError, resolve, templates_of
from sim.model.actions import StartAnalysis
from sim.model.analysis import AnalysisPhase, AnalysisRef, AnalysisRunSpec, AnalysisRunStatus
from sim.model.manifests import ManifestSet
from sim.model.rollout import RolloutSpec, RunRole, RunView


@dataclass(frozen=True, slots=True)
class Order:
    """One run, as it is asked for."""

    name: str
    role: RunRole
    ref: AnalysisRef
    step_index: int | None = None
    pod_hash: str = ""

    @classmethod
    def of(cls, action: StartAnalysis, spec: RolloutSpec, pod_hash: str) -> Order:
        """The order of a decision about the revision with this hash."""
        name = action.name or f"{spec.name}-{pod_hash}-{action.role.value}"
        return cls(name, action.role, reference_of(spec, action), action.step_index, pod_hash)

    def view(self, spec: AnalysisRunSpec, status: AnalysisRunStatus, created_s: float) -> RunView:
        """The run as the Rollout controller sees it."""
        return RunView(
            self.name,
            self.role,
            status.phase,
            status.message,
            self.step_index,
            terminating=spec.terminate,
            pod_hash=self.pod_hash,
            created_s=created_s,
        )


@dataclass(frozen=True, slots=True)
class Created:
    """A run at its beginning. One that cannot be judged has come to its end at once, as an Error."""

    spec: AnalysisRunSpec
    status: AnalysisRunStatus = AnalysisRunStatus()
    origins: dict[str, str] = field(default_factory=dict)
    """The template that each metric comes from."""


def created(order: Order, manifests: ManifestSet, spec: RolloutSpec, context: RunContext) -> Created:
    """The run that is ordered; TemplateError for one that cannot even be created."""
    try:
        resolved = resolve(order.ref, manifests, spec, context, order.name)
    except TemplateError as error:
        if not error.in_run:
            raise
        return Created(AnalysisRunSpec(order.name), AnalysisRunStatus(AnalysisPhase.ERROR, str(error)))
    templates = templates_of(order.ref.templates, manifests, context.namespace, context.controller)
    sources = [template.name for template in templates for _ in template.metrics_json]
    origins = {metric.name: source for metric, source in zip(resolved.metrics, sources, strict=True)}
    return Created(resolved, origins=origins)


def started_s(status: AnalysisRunStatus, metric: str) -> float | None:
    """When the metric's measurement in flight began."""
    found = next((one for one in status.metric_results if one.name == metric), None)
    return found.measurements[-1].started_s if found is not None and found.measurements else None


def unplanned(status: AnalysisRunStatus, now_s: float) -> Iterator[tuple[str, float]]:
    """(metric, since when) of measurements in flight that no look is planned for: their end wakes the controller."""
    for result in status.metric_results:
        last = result.measurements[-1] if result.measurements else None
        if last is not None and last.finished_s is None and last.resume_at_s is None:
            yield result.name, now_s if last.started_s is None else last.started_s


def earliest(*instants: float | None) -> float | None:
    """The first of the instants that there are."""
    return min((instant for instant in instants if instant is not None), default=None)
