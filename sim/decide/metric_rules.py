"""Rules about the metrics of a run: which are valid, which are dry runs, how many measurements are kept.

Source: behaviour reference 2.5 and 2.7 (Argo Rollouts ``utils/analysis/factory.go:131-265``, ``helpers.go:104-146``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sim.model.analysis import Metric
from sim.model.controller import NEWEST, Controller
from sim.model.units import go_duration_s
from sim.patterns import compiled

MEASUREMENTS_KEPT = 10


def matched(rules: Sequence[str], names: Sequence[str], what: str) -> tuple[frozenset[str], ...]:
    """For each rule the names it matches; ValueError in Argo's words if one matches none.

    Rules are unanchored regular expressions; a text that is none (``*``) matches nothing.
    """
    found = tuple(frozenset(name for name in names if _search(rule, name)) for rule in rules)
    for index, hits in enumerate(found):
        if not hits:
            msg = f"{what}[{index}]: Rule didn't match any metric name(s)"
            raise ValueError(msg)
    return found


def dry_run_names(rules: Sequence[str], names: Sequence[str]) -> frozenset[str]:
    """Names of the metrics that only pretend; ValueError if a rule matches none."""
    return frozenset[str]().union(*matched(rules, names, "dryRun"))


def kept_measurements(rules: Sequence[tuple[str, int]], names: Sequence[str]) -> Mapping[str, int]:
    """How many measurements of each metric are kept: the last matching rule's limit if positive, else 10."""
    limits = dict.fromkeys(names, MEASUREMENTS_KEPT)
    hits = matched([rule for rule, _ in rules], names, "measurementRetention")
    for (_, limit), hit in zip(rules, hits, strict=True):
        limits |= dict.fromkeys(hit, limit if limit > 0 else MEASUREMENTS_KEPT)
    return limits


def metrics_error(metrics: Sequence[Metric], controller: Controller = NEWEST) -> str:
    """What the controller says of an invalid list of metrics: the first error, empty if it is valid."""
    if not metrics:
        return "no metrics specified"
    seen: set[str] = set()
    for index, metric in enumerate(metrics):
        error = f"duplicate name '{metric.name}'" if metric.name in seen else metric_error(metric, controller)
        if error:
            return f"metrics[{index}]: {error}"
        seen.add(metric.name)
    return ""


def metric_error(metric: Metric, controller: Controller = NEWEST) -> str:
    """What this release says of one invalid metric: the first error, empty if it is valid."""
    if controller.is_since(Controller.ARGO_1_8):
        return _limit_error(metric) or _count_error(metric) or _time_error(metric) or _provider_error(metric)
    return _old_count_error(metric) or _time_error(metric) or _old_limit_error(metric) or _provider_error(metric)


def _old_count_error(metric: Metric) -> str:
    count = metric.count or 0
    for what, limit in (("failureLimit", metric.failure_limit), ("inconclusiveLimit", metric.inconclusive_limit)):
        if 0 < count < (limit or 0):
            return f"count must be >= {what}"
    return "interval must be specified when count > 1" if count > 1 and not metric.interval else ""


def _old_limit_error(metric: Metric) -> str:
    limits = {
        "failureLimit": metric.failure_limit,
        "inconclusiveLimit": metric.inconclusive_limit,
        "consecutiveErrorLimit": metric.consecutive_error_limit,
    }
    return next((f"{what} must be >= 0" for what, limit in limits.items() if (limit or 0) < 0), "")


def _limit_error(metric: Metric) -> str:
    streak, failures = metric.consecutive_success_limit or 0, metric.failure_limit or 0
    checks = (
        (streak < 0, "consecutiveSuccessLimit must be >= 0"),
        (failures < -1, "failureLimit must be >= 0, or -1 to be disabled"),
        (streak == 0 and failures == -1, "failureLimit and consecutiveSuccessLimit cannot both be disabled"),
        ((metric.inconclusive_limit or 0) < 0, "inconclusiveLimit must be >= 0"),
        ((metric.consecutive_error_limit or 0) < 0, "consecutiveErrorLimit must be >= 0"),
    )
    return next((message for broken, message in checks if broken), "")


def _count_error(metric: Metric) -> str:
    count, failures, streak = metric.count or 0, metric.failure_limit or 0, metric.consecutive_success_limit or 0
    if count <= 0:
        return ""
    if failures >= 0 and count < failures + streak:
        both = f"failureLimit + consecutiveSuccessLimit ({failures} + {streak})"
        return f"count ({count}) must be >= {both} if both >= 0"
    if failures < 0 and count < streak:
        return "count must be >= consecutiveSuccessLimit"
    if count < (metric.inconclusive_limit or 0):
        return "count must be >= inconclusiveLimit"
    if count > 1 and not metric.interval:
        return "interval must be specified when count > 1"
    return ""


def _time_error(metric: Metric) -> str:
    for what, text in (("interval", metric.interval), ("startDelay", metric.initial_delay)):
        error = duration_error(text) if text else ""
        if error:
            return f"invalid {what} string: {error}"
    return ""


def duration_error(text: str) -> str:
    """What Go's ``time.ParseDuration`` says of a text, empty if it is a duration."""
    try:
        go_duration_s(text)
    except ValueError:
        return _go_duration_complaint(text)
    return ""


def _go_duration_complaint(text: str) -> str:
    """Go names a missing or unknown unit, and calls everything else invalid."""
    body = text[1:] if text[:1] in {"+", "-"} else text
    while body:
        number = re.match(r"\d*\.?\d*", body)
        digits = number.group() if number else ""
        if not any(c.isdigit() for c in digits):
            break
        unit_match = re.match(r"[^.\d]*", body[len(digits) :])
        unit = unit_match.group() if unit_match else ""
        if not unit:
            return f'time: missing unit in duration "{text}"'
        if unit not in {"ns", "us", "µs", "μs", "ms", "s", "m", "h"}:
            return f'time: unknown unit "{unit}" in duration "{text}"'
        body = body[len(digits) + len(unit) :]
    return f'time: invalid duration "{text}"'


def _provider_error(metric: Metric) -> str:
    if not metric.providers:
        return "no provider specified"
    return "multiple providers specified" if len(metric.providers) > 1 else ""


def _search(rule: str, name: str) -> bool:
    try:
        return compiled(rule).search(name) is not None
    except ValueError:
        return False
