"""Operations of assess_metric, next_measurement_time and run_status, on ``sim.decide``'s analysis functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from math import floor
from typing import Any

from sim.decide.analysis import Task, due, expired, next_time_s, record, wake_s
from sim.decide.arguments import RunContext, TemplateError, merge
from sim.decide.assessment import assess, effective_count, limit_exceeded, metric_phase, worst
from sim.decide.metric_rules import matched, metrics_error
from sim.decide.releases import metric_known_to
from sim.decide.templates import checked_run, parse_metric, resolved_object
from sim.model.analysis import (
    AnalysisPhase,
    AnalysisRunSpec,
    AnalysisRunStatus,
    Argument,
    Measurement,
    MetricResult,
    SecretRef,
)
from tests.conformance import adapt

Json = Mapping[str, Any]

_COUNTERS = {
    "count": "count",
    "successful": "successful",
    "failed": "failed",
    "inconclusive": "inconclusive",
    "error": "error",
    "consecutiveError": "consecutive_error",
    "consecutiveSuccess": "consecutive_success",
}


def assess_op(given: Json) -> Json:
    metric = parse_metric(given["metric"])
    return {"phase": metric_phase(metric, _result(given["result"]), terminating=given.get("terminating", False))}


def assess_fie_op(given: Json) -> Json:
    phase, message = limit_exceeded(parse_metric(given["metric"]), _result(given["result"]))
    return {"phase": phase or "", "message": message}


def validate_metrics_op(given: Json) -> Json:
    controller = adapt.release(given)
    metrics = [metric_known_to(controller, parse_metric(metric)) for metric in given["metrics"]]
    return {"error": metrics_error(metrics, controller)}


def effective_count_op(given: Json) -> Json:
    return {"effectiveCount": effective_count(parse_metric(given["metric"]))}


def worst_op(given: Json) -> Json:
    return {"worst": worst(AnalysisPhase(given["left"]), AnalysisPhase(given["right"]))}


def next_op(given: Json) -> Json:
    now_s = _seconds(given["now"])
    instant_s = wake_s(_run(given["run"]["spec"]), _status(given["run"].get("status", {})), now_s)
    return {"secondsFromNow": None if instant_s is None else instant_s - now_s}


def tasks_op(given: Json) -> Json:
    run = replace(_run(given["run"]["spec"]), controller=adapt.release(given))
    status = _status(given["run"].get("status", {}))
    tasks = due(run, status, _seconds(given["now"]))
    return {"tasks": [task.metric.name + (":resume" if task.resume else "") for task in tasks]}


def run_status_op(given: Json) -> Json:
    run, status = _run(given["run"]["spec"]), _status(given["run"].get("status", {}))
    dry_run = frozenset(name for name, dry in (given.get("dryRunMetrics") or {}).items() if dry)
    # The message is only stored when the phase changes; the operation asks what would be stored.
    fresh = replace(status, phase=AnalysisPhase.PENDING, message="")
    return _status_json(assess(run.metrics, fresh, dry_run, terminate=run.terminate))


def dryrun_match_op(given: Json) -> Json:
    hits: dict[str, bool] = {}
    rules = [rule["metricName"] for rule in given.get("rules") or []]
    for length in range(1, len(rules) + 1):
        try:
            hits |= dict.fromkeys(matched(rules[:length], given["metrics"], "dryRun")[-1], True)
        except ValueError as error:
            return {"matched": hits, "error": str(error)}
    return {"matched": hits, "error": ""}


def merge_args_op(given: Json) -> Json:
    incoming = [_argument(a) for a in given.get("incoming") or []]
    declared = [_argument(a) for a in given.get("template") or []]
    try:
        return {"args": [_argument_json(a) for a in merge(incoming, declared)], "error": ""}
    except TemplateError as error:
        return {"args": None, "error": error.message}


def resolve_metric_op(given: Json) -> Json:
    arguments = [_argument(a) for a in given.get("args") or []]
    try:
        resolved = resolved_object(json.dumps(given["metric"]), arguments)
        parse_metric(resolved)
    except TemplateError as error:
        return {"metric": None, "error": error.message}
    return {"metric": resolved, "error": ""}


def ttl_op(given: Json) -> Json:
    run, status = _run(given["run"]["spec"]), _status(given["run"].get("status", {}))
    return {"expired": expired(run, status, _seconds(given["now"]))}


def trace_op(given: Json) -> Json:
    """The whole life of a run, driven as the engine drives it, with measurements that take no time."""
    spec = given["spec"]
    try:
        written = [json.dumps(metric) for metric in spec.get("metrics") or []]
        asked = replace(_run(spec | {"metrics": []}), controller=adapt.release(given))
        run = checked_run(asked, written, RunContext(controller=asked.controller))
    except TemplateError as error:
        failed = _status_json(AnalysisRunStatus(AnalysisPhase.ERROR, error.message))
        return {**failed, "completed": True, "timeline": [], "finishedAtSeconds": 0}
    return _Trace(run, given).outcome()


class _Trace:
    """One run followed until it completes or its time is over."""

    def __init__(self, run: AnalysisRunSpec, given: Json) -> None:
        self.run = run
        self.outcomes = {name: list(outcomes) for name, outcomes in (given.get("results") or {}).items()}
        self.last_s = float(given["maxSeconds"])
        self.terminate_s = given.get("terminateAt")
        self.timeline: list[Json] = []

    def outcome(self) -> Json:
        status, now_s = AnalysisRunStatus(), 0.0
        while True:
            if self.terminate_s is not None and now_s >= self.terminate_s:
                self.run = replace(self.run, terminate=True)
            tasks = due(self.run, status, now_s)
            before = status
            status = record(self.run, status, {t.metric.name: self._measure(t, now_s) for t in tasks}, now_s)
            later_s = self._next_s(status, now_s, changed=status != before)
            if later_s is None:
                break
            now_s = later_s
        finished_s = floor(now_s) if status.phase.is_completed else self.last_s
        completed = status.phase.is_completed
        more = {"completed": completed, "finishedAtSeconds": finished_s, "timeline": self.timeline}
        return {**_status_json(status), **more}

    def _next_s(self, status: AnalysisRunStatus, now_s: float, *, changed: bool) -> float | None:
        if status.phase.is_completed:
            return None
        instants = [next_time_s(self.run, status, now_s, changed=changed)]
        if self.terminate_s is not None and not self.run.terminate:
            instants.append(float(self.terminate_s))
        coming = [instant for instant in instants if instant is not None and floor(instant) <= self.last_s]
        return min(coming, default=None)

    def _measure(self, task: Task, now_s: float) -> Measurement:
        name = task.metric.name
        if task.terminate:
            event, taken = "terminate", {"phase": task.ends_as, "message": "Metric Terminated"}
        else:
            outcomes = self.outcomes[name]
            event, taken = (
                ("resume" if task.resume else "measure"),
                (outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]),
            )
        self.timeline.append({"event": event, "metric": name, "phase": taken["phase"], "t": floor(now_s)})
        phase = AnalysisPhase(taken["phase"])
        resume_s = taken.get("resumeAfterSeconds", taken.get("resumeAfter"))
        return Measurement(
            phase,
            started_s=now_s,
            finished_s=now_s if phase.is_completed else None,
            resume_at_s=None if resume_s is None or phase.is_completed else now_s + float(resume_s),
            value=taken.get("value", ""),
            message=taken.get("message", ""),
        )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _seconds_or_none(text: str | None) -> float | None:
    return None if text is None else _seconds(text)


def _measurement(obj: Json) -> Measurement:
    return Measurement(
        AnalysisPhase(obj["phase"]) if obj.get("phase") else AnalysisPhase.PENDING,
        started_s=_seconds_or_none(obj.get("startedAt")),
        finished_s=_seconds_or_none(obj.get("finishedAt")),
        resume_at_s=_seconds_or_none(obj.get("resumeAt")),
        value=obj.get("value", ""),
        message=obj.get("message", ""),
    )


def _result(obj: Json) -> MetricResult:
    return MetricResult(
        obj.get("name", ""),
        AnalysisPhase(obj["phase"]) if obj.get("phase") else AnalysisPhase.PENDING,
        measurements=tuple(_measurement(m) for m in obj.get("measurements") or []),
        message=obj.get("message", ""),
        dry_run=obj.get("dryRun", False),
        **{ours: obj.get(theirs, 0) for theirs, ours in _COUNTERS.items()},
    )


def _run(spec: Json) -> AnalysisRunSpec:
    ttl = spec.get("ttlStrategy") or {}
    return AnalysisRunSpec(
        name="run",
        metrics=tuple(parse_metric(metric) for metric in spec.get("metrics") or []),
        args=tuple(_argument(argument) for argument in spec.get("args") or []),
        dry_run=tuple(rule["metricName"] for rule in spec.get("dryRun") or []),
        retention=tuple((rule["metricName"], rule["limit"]) for rule in spec.get("measurementRetention") or []),
        terminate=spec.get("terminate", False),
        ttl_s=(ttl.get("secondsAfterCompletion"), ttl.get("secondsAfterSuccess"), ttl.get("secondsAfterFailure")),
    )


def _status(obj: Json) -> AnalysisRunStatus:
    return AnalysisRunStatus(
        phase=AnalysisPhase(obj["phase"]) if obj.get("phase") else AnalysisPhase.PENDING,
        message=obj.get("message", ""),
        metric_results=tuple(_result(result) for result in obj.get("metricResults") or []),
        started_s=_seconds_or_none(obj.get("startedAt")),
        completed_s=_seconds_or_none(obj.get("completedAt")),
    )


def _status_json(status: AnalysisRunStatus) -> dict[str, Any]:
    return {
        "phase": status.phase,
        "message": status.message,
        "metricResults": {result.name: _result_json(result) for result in status.metric_results},
        "runSummary": dict(status.run_summary),
        "dryRunSummary": dict(status.dry_run_summary),
    }


def _result_json(result: MetricResult) -> Json:
    counters = {theirs: getattr(result, ours) for theirs, ours in _COUNTERS.items()}
    kept = {"retainedMeasurements": len(result.measurements)}
    return {"phase": result.phase, "message": result.message, "dryRun": result.dry_run, **kept, **counters}


def _argument(obj: Json) -> Argument:
    source = obj.get("valueFrom") or {}
    secret = source.get("secretKeyRef")
    return Argument(
        obj["name"],
        obj.get("value"),
        secret=None if secret is None else SecretRef(secret["name"], secret["key"]),
        pod_template_hash=source.get("podTemplateHashValue"),
        field_path=(source.get("fieldRef") or {}).get("fieldPath"),
    )


def _argument_json(argument: Argument) -> Json:
    obj: dict[str, Any] = {"name": argument.name}
    if argument.value is not None:
        obj["value"] = argument.value
    source: dict[str, Any] = {}
    if argument.secret is not None:
        source["secretKeyRef"] = {"name": argument.secret.name, "key": argument.secret.key}
    if argument.pod_template_hash is not None:
        source["podTemplateHashValue"] = argument.pod_template_hash
    if argument.field_path is not None:
        source["fieldRef"] = {"fieldPath": argument.field_path}
    return obj | ({"valueFrom": source} if source else {})


OPS = {
    "assess": assess_op,
    "assess_fie": assess_fie_op,
    "validate_metrics": validate_metrics_op,
    "effective_count": effective_count_op,
    "worst": worst_op,
    "next": next_op,
    "tasks": tasks_op,
    "run_status": run_status_op,
    "dryrun_match": dryrun_match_op,
    "merge_args": merge_args_op,
    "resolve_metric": resolve_metric_op,
    "ttl": ttl_op,
    "trace": trace_op,
}
