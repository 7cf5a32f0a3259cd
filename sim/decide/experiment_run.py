"""One reconcile of an Experiment (Argo Rollouts ``experiments/experiment.go``, ``utils/experiment/experiment.go``)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import floor

from sim.decide.defaults import JUST_AFTER_S, SCALE_DOWN_DELAY_S
from sim.model.analysis import AnalysisPhase
from sim.model.experiment import (
    CreateService,
    CreateTemplate,
    DeleteService,
    EndRun,
    ExperimentAction,
    ExperimentDecision,
    ExperimentRun,
    ExperimentSeen,
    ExperimentSpec,
    ExperimentStatus,
    ScaleTemplate,
    StampTemplate,
    StartRun,
    TemplatePhase,
    TemplateStatus,
    TemplateView,
)
from sim.model.rollout import ExperimentAnalysis, ExperimentTemplate
from sim.model.units import go_duration_s

_BAD = frozenset({AnalysisPhase.FAILED, AnalysisPhase.ERROR, AnalysisPhase.INCONCLUSIVE})
_LOST = frozenset({TemplatePhase.FAILED, TemplatePhase.ERROR})
_REQUIRED_DONE = "Required AnalysisRuns completed"


@dataclass(slots=True)
class _Pass:
    """What one reconcile has decided so far. Everything is judged by the status as it was before."""

    spec: ExperimentSpec
    before: ExperimentStatus
    seen: ExperimentSeen
    actions: list[ExperimentAction] = field(default_factory=list)
    wakes_s: list[float] = field(default_factory=list)

    @property
    def now_s(self) -> float:
        """Now, in whole seconds as it is stored."""
        return float(floor(self.seen.now_s))


def reconcile(spec: ExperimentSpec, status: ExperimentStatus, seen: ExperimentSeen) -> ExperimentDecision:
    """What the controller does in one reconcile: templates first, then analyses, then the verdict."""
    turn = _Pass(spec, status, seen)
    templates = tuple(_template(turn, one) for one in spec.body.templates)
    runs = tuple(_run(turn, one) for one in spec.body.analyses)
    after = _assessed(turn, replace(status, templates=templates, runs=runs))
    _wake(turn, after)
    return ExperimentDecision(after, tuple(turn.actions), min(turn.wakes_s, default=None))


def is_terminating(spec: ExperimentSpec, status: ExperimentStatus) -> bool:
    """Whether nothing new is started: asked to end, ended, a template lost, an analysis bad, or all required ones good."""
    if spec.terminate or status.is_completed or any(one.phase in _LOST for one in status.templates):
        return True
    return any(one.phase in _BAD for one in status.runs) or _required_passed(spec, status)


def is_over(spec: ExperimentSpec, status: ExperimentStatus, now_s: float) -> bool:
    """Whether the duration, counted from when all templates were available, has strictly passed."""
    end_s = _end_s(spec, status)
    return end_s is not None and now_s > end_s


def wanted_replicas(spec: ExperimentSpec, status: ExperimentStatus, template: ExperimentTemplate) -> int:
    """Pods of a template: its own number until it or the experiment has ended, then none."""
    known = _status_of(status, template.name)
    if is_terminating(spec, status) or (known.phase is not None and known.phase.is_completed):
        return 0
    return 1 if template.replicas is None else template.replicas


def _end_s(spec: ExperimentSpec, status: ExperimentStatus) -> float | None:
    if not spec.body.duration or status.available_s is None:
        return None
    try:
        return status.available_s + go_duration_s(spec.body.duration)
    except ValueError:
        return None


def _required(spec: ExperimentSpec) -> tuple[ExperimentAnalysis, ...]:
    return tuple(one for one in spec.body.analyses if one.required)


def _required_passed(spec: ExperimentSpec, status: ExperimentStatus) -> bool:
    phases = {one.name: one.phase for one in status.runs}
    required = _required(spec)
    return bool(required) and all(phases.get(one.name) is AnalysisPhase.SUCCESSFUL for one in required)


def _status_of(status: ExperimentStatus, name: str) -> TemplateStatus:
    return next((one for one in status.templates if one.name == name), TemplateStatus(name))


def _view_of(seen: ExperimentSeen, name: str) -> TemplateView:
    return next((one for one in seen.templates if one.name == name), TemplateView(name))


def _template(turn: _Pass, template: ExperimentTemplate) -> TemplateStatus:
    """A ReplicaSet is created empty; later reconciles give it its Service and its size."""
    before, view = _status_of(turn.before, template.name), _view_of(turn.seen, template.name)
    wanted = wanted_replicas(turn.spec, turn.before, template)
    after = before
    if view.rs is None:
        turn.actions.append(CreateTemplate(template.name))
        after = replace(after, changed_s=turn.now_s)
    else:
        after = _serve(turn, template, view, after, wanted)
        if view.rs.desired != wanted:
            _resize(turn, template, view, wanted)
            after = replace(after, changed_s=turn.now_s)
        counts = (view.rs.replicas, view.rs.ready, view.rs.available)
        if counts != before.counts:
            after = replace(after, counts=counts, changed_s=turn.now_s)
    return _judged(turn, after, wanted)


def _serve(
    turn: _Pass, template: ExperimentTemplate, view: TemplateView, status: TemplateStatus, wanted: int
) -> TemplateStatus:
    """Its Service exists from the first pod wanted until the last one available is gone."""
    if view.rs is None or not (template.has_service or template.weight is not None):
        return status
    if wanted and not view.service:
        turn.actions.append(CreateService(template.name))
        return replace(status, service=template.service or view.rs.name, hash=view.rs.hash)
    if not wanted and view.service and view.rs.available == 0:
        turn.actions.append(DeleteService(template.name))
        return replace(status, service="", hash="")
    return status


def _resize(turn: _Pass, template: ExperimentTemplate, view: TemplateView, wanted: int) -> None:
    if view.rs is None:
        return
    written = turn.spec.body.scale_down_delay_s
    delay_s = SCALE_DOWN_DELAY_S if written is None else written
    deadline_s = view.rs.scale_down_deadline_s
    if wanted == 0 and delay_s:
        if deadline_s is None:
            deadline_s = turn.now_s + delay_s
            turn.actions.append(StampTemplate(template.name, deadline_s))
        if deadline_s > turn.seen.now_s:
            turn.wakes_s.append(deadline_s)
            return
    turn.actions.append(ScaleTemplate(template.name, wanted))


def _judged(turn: _Pass, status: TemplateStatus, wanted: int) -> TemplateStatus:
    """The phase: completed ones stay as they are."""
    if status.phase is not None and status.phase.is_completed:
        return status
    ends = is_terminating(turn.spec, turn.before)
    if wanted == status.counts[2]:
        over = ends or is_over(turn.spec, turn.before, turn.seen.now_s)
        return replace(status, phase=TemplatePhase.SUCCESSFUL if over else TemplatePhase.RUNNING)
    if turn.seen.now_s > status.changed_s + turn.spec.progress_deadline_s:
        limit = f"{turn.spec.progress_deadline_s:g}"
        message = f"Template '{status.name}' exceeded its progressDeadlineSeconds ({limit})"
        return replace(status, phase=TemplatePhase.FAILED, message=message)
    return replace(status, phase=TemplatePhase.SUCCESSFUL if ends else TemplatePhase.PROGRESSING)


def _run(turn: _Pass, analysis: ExperimentAnalysis) -> ExperimentRun:
    """An analysis starts once all templates were available; its verdict is the run's until the experiment ends."""
    before = next((one for one in turn.before.runs if one.name == analysis.name), ExperimentRun(analysis.name))
    if turn.before.available_s is None:
        missing = dict(turn.seen.missing).get(analysis.name)
        return before if missing is None else replace(before, phase=AnalysisPhase.ERROR, message=missing)
    if before.phase is not None and before.phase.is_completed:
        return before
    if before.run:
        return _followed(turn, before)
    if is_terminating(turn.spec, turn.before):
        return before
    turn.actions.append(StartRun(analysis.name))
    return replace(before, run=f"{turn.spec.name}-{analysis.name}", phase=AnalysisPhase.PENDING)


def _followed(turn: _Pass, before: ExperimentRun) -> ExperimentRun:
    """What the run says; an experiment that ends asks its runs to end and does not hear of them any more."""
    found = next(((phase, text) for name, phase, text in turn.seen.runs if name == before.name), None)
    if found is None:
        return before
    if not is_terminating(turn.spec, turn.before):
        return replace(before, phase=found[0], message=found[1])
    if not found[0].is_completed:
        turn.actions.append(EndRun(before.name))
    return before


def _assessed(turn: _Pass, status: ExperimentStatus) -> ExperimentStatus:
    if turn.before.phase is None:
        return replace(status, phase=AnalysisPhase.PENDING)
    if turn.before.is_completed:
        return status
    template_phase, template_text = _worst_template(status)
    run_phase, run_text = _worst_run(turn.spec, status)
    if template_phase is AnalysisPhase.RUNNING and status.available_s is None:
        status = replace(status, available_s=turn.now_s)
    judged = (run_phase, run_text)
    if template_phase.is_completed:
        defers = template_phase is AnalysisPhase.SUCCESSFUL and (run_phase.is_completed or _required(turn.spec))
        phase, message = judged if defers else (template_phase, template_text)
    elif run_phase in _BAD or _required_passed(turn.spec, status):
        phase, message = judged
    else:
        phase, message = template_phase, template_text
    return replace(status, phase=phase, message=message)


def _worst_template(status: ExperimentStatus) -> tuple[AnalysisPhase, str]:
    worst, message = TemplatePhase.SUCCESSFUL, ""
    for one in status.templates:
        phase = one.phase or TemplatePhase.PROGRESSING
        if phase.worse_than(worst):
            worst, message = phase, one.message
    phases = {
        TemplatePhase.PROGRESSING: AnalysisPhase.PENDING,
        TemplatePhase.RUNNING: AnalysisPhase.RUNNING,
        TemplatePhase.SUCCESSFUL: AnalysisPhase.SUCCESSFUL,
        TemplatePhase.FAILED: AnalysisPhase.FAILED,
        TemplatePhase.ERROR: AnalysisPhase.ERROR,
    }
    return phases[worst], message


def _worst_run(spec: ExperimentSpec, status: ExperimentStatus) -> tuple[AnalysisPhase, str]:
    """The worst of the analyses; ones that have not begun count as good, as upstream."""
    worst, message = AnalysisPhase.SUCCESSFUL, ""
    for one in status.runs:
        if one.phase is not None and one.phase.worse_than(worst):
            worst, message = one.phase, one.message
    if _required_passed(spec, status) and worst.worse_than(AnalysisPhase.RUNNING):
        return AnalysisPhase.SUCCESSFUL, _REQUIRED_DONE
    return (AnalysisPhase.RUNNING if worst is AnalysisPhase.PENDING else worst), message


def _wake(turn: _Pass, after: ExperimentStatus) -> None:
    """The end of the duration, and the deadlines of templates whose pods are missing."""
    if after.is_completed:
        return
    end_s = _end_s(turn.spec, after)
    instants = [] if end_s is None else [end_s]
    for template in turn.spec.body.templates:
        one = _status_of(after, template.name)
        waits = one.phase in {TemplatePhase.PROGRESSING, TemplatePhase.RUNNING}
        if waits and one.counts[2] != wanted_replicas(turn.spec, after, template):
            instants.append(one.changed_s + turn.spec.progress_deadline_s)
    turn.wakes_s += [due_s + JUST_AFTER_S for due_s in instants if due_s + JUST_AFTER_S > turn.seen.now_s]
