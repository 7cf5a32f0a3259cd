"""The documents of a scenario with their durations divided; everything reads them: the twin and the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from scenarios.compression.metrics import analysis, divided_arguments, duration_arguments
from scenarios.compression.pace import Pace, Spot, changed, go_duration, pause, seconds
from scenarios.manifests import Document
from scenarios.manifests.build.reading import integer
from sim.decide.defaults import ABORT_SCALE_DOWN_DELAY_S, PROGRESS_DEADLINE_S, SCALE_DOWN_DELAY_S

SHORTEST_DEADLINE_S: Final = 60
"""Pods come up in their own time, so no progress deadline is made shorter than this (or than it is)."""
_STRATEGIES: Final = ("canary", "blueGreen")
_DELAYS: Final = ("scaleDownDelaySeconds", "abortScaleDownDelaySeconds", "autoPromotionSeconds")
_BLOCKS: Final = (
    ("canary", "analysis"),
    ("canary", "steps", "*", "analysis"),
    ("canary", "steps", "*", "experiment", "analyses", "*"),
    ("blueGreen", "prePromotionAnalysis"),
    ("blueGreen", "postPromotionAnalysis"),
)
_PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")
_PATIENCE_S: Final = 30
"""A container is given at least this long (or as long as is written) before a probe kills it: a process needs its time."""
_PERIOD: Final = 10
"""Kubernetes' default of ``periodSeconds``."""
_FAILURES: Final = 3
"""And of ``failureThreshold``."""
_EJECTION: Final = {"interval": "10s", "baseEjectionTime": "30s"}
"""Istio's defaults."""
_OUTLIERS: Final = (
    ("spec", "trafficPolicy", "outlierDetection"),
    ("spec", "trafficPolicy", "portLevelSettings", "*", "outlierDetection"),
    ("spec", "subsets", "*", "trafficPolicy", "outlierDetection"),
)


def divided(objects: Iterable[Document], pace: Pace) -> tuple[Document, ...]:
    """Every document, its durations divided."""
    objects = tuple(objects)
    arguments = duration_arguments(objects)
    return tuple(replace(item, data=_object(item, arguments, pace)) for item in objects)


def _object(item: Document, arguments: frozenset[str], pace: Pace) -> Any:
    spot = Spot(pace, f"{item.kind}/{item.name}")
    match item.kind:
        case "Rollout":
            return _rollout(item.data, arguments, spot)
        case "Deployment":
            return _workload(item.data, spot)
        case "Experiment":
            return _experiment(item.data, arguments, spot)
        case "DestinationRule":
            return _destination_rule(item.data, spot)
        case "AnalysisTemplate" | "ClusterAnalysisTemplate" | "AnalysisRun":
            return analysis(item.data, arguments, spot)
    return item.data


def _rollout(data: dict[str, Any], arguments: frozenset[str], spot: Spot) -> Any:
    data = _workload(data, spot)
    strategy = ("spec", "strategy")
    for name in _STRATEGIES:
        data = changed(data, (*strategy, name), _with_delays(name), spot)
        for delay in _DELAYS:
            data = changed(data, (*strategy, name, delay), seconds, spot)
    steps = (*strategy, "canary", "steps", "*")
    data = changed(data, (*steps, "pause", "duration"), pause, spot)
    data = changed(data, (*steps, "experiment", "duration"), go_duration, spot)
    data = changed(data, (*steps, "experiment", "scaleDownDelaySeconds"), seconds, spot)
    for block in _BLOCKS:
        data = divided_arguments(data, (*strategy, *block), arguments, spot)
    return data


def _with_delays(name: str) -> Callable[[Any, Spot], Any]:
    """The strategy with those of Argo's default delays written out that hold for it."""

    def change(strategy: Any, spot: Spot) -> Any:
        if not isinstance(strategy, dict):
            return strategy
        routed, dynamic = isinstance(strategy.get("trafficRouting"), dict), strategy.get("dynamicStableScale") is True
        # A written abort delay means something else to a dynamic stable scale; a written scale-down delay is refused.
        if dynamic or not (routed or name == "blueGreen"):
            return strategy
        written = _default(strategy, "scaleDownDelaySeconds", SCALE_DOWN_DELAY_S, spot)
        return _default(written, "abortScaleDownDelaySeconds", ABORT_SCALE_DOWN_DELAY_S, spot)

    return change


def _default(data: dict[str, Any], key: str, default: float, spot: Spot) -> dict[str, Any]:
    if data.get(key) is not None:
        return data
    spot.note(f"{key} is not written; its default of {default:g} s is divided too")
    return data | {key: int(default)}


def _experiment(data: dict[str, Any], arguments: frozenset[str], spot: Spot) -> Any:
    data = changed(data, ("spec", "duration"), go_duration, spot)
    data = changed(data, ("spec", "scaleDownDelaySeconds"), seconds, spot)
    data = changed(data, ("spec", "progressDeadlineSeconds"), _deadline, spot)
    data = changed(data, ("spec", "templates", "*", "minReadySeconds"), seconds, spot)
    data = changed(data, ("spec", "templates", "*"), lambda one, at: _pods(one, ("template",), at), spot)
    return divided_arguments(data, ("spec", "analyses", "*"), arguments, spot)


def _workload(data: dict[str, Any], spot: Spot) -> Any:
    """What a Rollout and a Deployment have in common."""
    data = _pods(changed(data, ("spec",), _with_deadline, spot), ("spec", "template"), spot)
    spec = data.get("spec")
    if not isinstance(spec, dict) or not _is_ordered(spec):
        # Refused for it, and to be refused when compressed too.
        return data
    data = changed(data, ("spec", "minReadySeconds"), seconds, spot)
    return changed(data, ("spec", "progressDeadlineSeconds"), _deadline, spot)


def _with_deadline(spec: Any, spot: Spot) -> Any:
    if not isinstance(spec, dict):
        return spec
    return _default(spec, "progressDeadlineSeconds", PROGRESS_DEADLINE_S, spot)


def _is_ordered(spec: dict[str, Any]) -> bool:
    """Whether pods can be available before the deadline, as the API server and Argo ask."""
    ready, deadline = spec.get("minReadySeconds") or 0, spec.get("progressDeadlineSeconds")
    return not (isinstance(ready, int) and isinstance(deadline, int)) or ready < deadline


def _deadline(value: Any, spot: Spot) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    got = max(min(value, SHORTEST_DEADLINE_S), spot.pace.whole_s(value))
    spot.rounded(f"{value} s", value / spot.pace.factor, got)
    return got


def _pods(data: dict[str, Any], template: tuple[str, ...], spot: Spot) -> Any:
    """Probes follow the application's start-up; grace periods and preStop sleeps outlast requests, and stay."""
    for name in _PROBES:
        change = _probe if name == "readinessProbe" else _killing_probe
        data = changed(data, (*template, "spec", "containers", "*", name), change, spot)
    return data


def _probe(probe: Any, spot: Spot) -> Any:
    if not isinstance(probe, dict):
        return probe
    for key in ("initialDelaySeconds", "periodSeconds"):
        probe = changed(
            probe if probe.get("periodSeconds") else probe | {"periodSeconds": _PERIOD}, (key,), seconds, spot
        )
    return probe


def _killing_probe(probe: Any, spot: Spot) -> Any:
    """As written where the container would have too little time."""
    faster = _probe(probe, Spot(Pace(spot.pace.factor), spot.owner))
    if faster == probe or _patience_s(faster) >= min(_patience_s(probe), _PATIENCE_S):
        return _probe(probe, spot)
    spot.note(f"stays, for divided it would kill a container after {_patience_s(faster)} s")
    return probe


def _patience_s(probe: dict[str, Any]) -> int:
    keys = (("initialDelaySeconds", 0), ("periodSeconds", _PERIOD), ("failureThreshold", _FAILURES))
    initial, period, failures = (integer(probe, key) or default for key, default in keys)
    return initial + period * failures


def _destination_rule(data: dict[str, Any], spot: Spot) -> Any:
    """Ejections of outlier detection last as long in proportion."""
    for path in _OUTLIERS:
        data = changed(data, path, _with_times, spot)
        for key in _EJECTION:
            data = changed(data, (*path, key), go_duration, spot)
    return data


def _with_times(outlier: Any, spot: Spot) -> Any:
    del spot
    return {**_EJECTION, **outlier} if isinstance(outlier, dict) else outlier
