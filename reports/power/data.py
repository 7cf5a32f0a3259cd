"""The report as JSON: what scripts read. Shares from 0 to 1, times in seconds since the apply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.json_ import FORMAT, indented
from reports.power import words
from reports.power.card import Dot, Frequency, GatePower, Power, Whole, WholeDot
from scenarios.power.asking import Axis
from scenarios.power.courses import Course
from scenarios.power.models import Gateless


def powers_json(found: Sequence[Power | Gateless]) -> str:
    """An indented JSON object with one entry for each Rollout; equal reports give equal text."""
    return indented({"format": FORMAT, "rollouts": [_data(one) for one in found]})


def _data(found: Power | Gateless) -> dict[str, Any]:
    if isinstance(found, Gateless):
        return {"subject": found.subject, "gates": [], "why_no_gates": found.why}
    return {
        "version": found.about.version,
        "subject": found.subject,
        "title": found.title,
        "scenario_hash": found.scenario_hash,
        "traffic": found.rate,
        "wanted": {"power": found.wanted.power, "false_abort": found.wanted.false_abort},
        "replications": found.replications,
        "seed": found.seed,
        "axes": [_axis(axis) for axis in found.axes],
        "together": [_whole(whole) for whole in found.wholes],
        "gates": [_gate(found, gate) for gate in found.gates],
        "broken": [{"where": where, "why": why} for where, why in found.broken],
        "command": found.about.command,
    }


def _axis(axis: Axis) -> dict[str, Any]:
    unit = "share of requests" if axis.kind == "errors" else "ms added" if axis.added else "times the service time"
    return {"axis": axis.kind, "unit": unit, "healthy": axis.healthy, "bad": axis.bad}


def _gate(found: Power, gate: GatePower) -> dict[str, Any]:
    return {
        "metric": gate.model.metric.name,
        "where": gate.model.where,
        "rule": gate.rule,
        "axis": gate.axis.kind,
        "limit": gate.limit,
        "dry_run": gate.model.dry_run,
        "method": None if gate.healthy is None else gate.healthy.method,
        "why_no_closed_form": None if gate.healthy is not None else gate.model.reason or "its requests queue",
        "reaches_wanted": gate.reaches,
        "healthy": _course(gate.healthy),
        "bad": _course(gate.bad),
        "curve": [{"true": x, "abort": chance} for x, chance in gate.line],
        "simulated": [_dot(dot) for dot in gate.dots],
        "agreement": {"inside": gate.agreement[0], "of": gate.agreement[1]},
        "steps": [
            {
                "step": line.step,
                "weight": line.weight,
                "measurements": line.measurements,
                "requests": line.requests,
                "healthy_fails_once": line.false_fail,
                "bad_passes_once": line.miss,
                "healthy_aborted_by_then": line.false_abort,
                "bad_aborted_by_then": line.caught,
            }
            for line in gate.steps
        ],
        "enough": [
            {"knob": one.knob, "value": one.value, "failure_limit": one.limit, "false_abort": one.false_abort,
             "miss": one.miss, "rps": one.rps}
            for one in gate.advice
        ],
        "in_words": words.recommendation(found, gate) if gate.reaches is False else "",
    }  # fmt: skip


def _course(course: Course | None) -> dict[str, Any] | None:
    if course is None:
        return None
    return {
        "abort": course.ends.abort,
        "inconclusive": course.ends.pause,
        "whole": course.whole,
        "abort_at_measurement": list(course.ends.aborts),
        "one_fails": list(course.failing),
        "requests": list(course.requests),
    }


def _frequency(found: Frequency) -> dict[str, Any]:
    return {"hits": found.hits, "of": found.of, "lo": found.bounds.lo, "hi": found.bounds.hi}


def _dot(dot: Dot) -> dict[str, Any]:
    return {"true": dot.x, "aborted": _frequency(dot.aborted), "inconclusive": dot.paused, "closed": dot.closed}


def _whole(whole: Whole) -> dict[str, Any]:
    return {
        "axis": whole.axis.kind,
        "curve": [{"true": x, "abort": chance} for x, chance in whole.line],
        "simulated": [_whole_dot(dot) for dot in whole.dots],
    }


def _whole_dot(dot: WholeDot) -> dict[str, Any]:
    return {
        "true": dot.x,
        "aborted": _frequency(dot.aborted),
        "inconclusive": _frequency(dot.paused),
        "first": [{"gate": name, "hits": hits} for name, hits in dot.first],
        "by_step": [{"step": step} | _frequency(found) for step, found in dot.by_step],
        "median_s": dot.median_s,
        "p95_s": dot.p95_s,
        "closed": dot.closed,
    }
