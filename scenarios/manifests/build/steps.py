"""Canary steps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from scenarios.manifests.build.analysis import optional_reference, reference
from scenarios.manifests.build.network import string_match
from scenarios.manifests.build.reading import flag, integer, labels, mapping, mappings, text, value
from sim.model.network import HttpMatch
from sim.model.rollout import (
    CanaryScale,
    CanaryStep,
    Experiment,
    ExperimentAnalysis,
    ExperimentTemplate,
    HeaderMatch,
    HeaderRoute,
    MirrorRoute,
    Pause,
)  # fmt: skip


def step(data: dict[str, Any]) -> CanaryStep:
    """One step as written; ``pause: {}`` waits for a person."""
    return CanaryStep(
        set_weight=integer(data, "setWeight"),
        pause=_pause(mapping(data, "pause")) if isinstance(data.get("pause"), dict) else None,
        analysis=optional_reference(data, "analysis"),
        experiment=_experiment(mapping(data, "experiment")) if isinstance(data.get("experiment"), dict) else None,
        set_canary_scale=_scale(mapping(data, "setCanaryScale"))
        if isinstance(data.get("setCanaryScale"), dict)
        else None,
        set_header_route=_header_route(mapping(data, "setHeaderRoute"))
        if isinstance(data.get("setHeaderRoute"), dict)
        else None,
        set_mirror_route=_mirror_route(mapping(data, "setMirrorRoute"))
        if isinstance(data.get("setMirrorRoute"), dict)
        else None,
        plugin=text(data, "plugin", "name") or None,
    )


def _pause(data: dict[str, Any]) -> Pause:
    duration = value(data, "duration")
    return Pause(duration if isinstance(duration, int | str) and not isinstance(duration, bool) else None)


def _scale(data: dict[str, Any]) -> CanaryScale:
    return CanaryScale(integer(data, "replicas"), integer(data, "weight"), flag(data, "matchTrafficWeight"))


def _header_route(data: dict[str, Any]) -> HeaderRoute:
    matches = tuple(
        HeaderMatch(text(entry, "headerName"), how, text(entry, "headerValue", how))
        for entry in mappings(data, "match")
        for how in ("exact", "prefix", "regex")
        if text(entry, "headerValue", how)
    )
    written = [
        {"headerName": text(entry, "headerName"), "headerValue": _written_match(entry, "headerValue")}
        for entry in mappings(data, "match")
    ]
    return HeaderRoute(text(data, "name"), matches, _written(data, written))


def _written(data: dict[str, Any], match: Sequence[dict[str, Any]]) -> str:
    """The fields in the controller's order, without those that it does not know or that are empty."""
    fields = {"name": text(data, "name"), "match": match, "percentage": integer(data, "percentage")}
    kept = {key: item for key, item in fields.items() if item is not None and item not in ("", [])}
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def _written_match(entry: dict[str, Any], key: str) -> dict[str, str] | None:
    """A StringMatch with all the ways it names, of which only one is allowed; None where it is not written."""
    if not isinstance(entry.get(key), dict):
        return None
    return {how: text(entry, key, how) for how in ("exact", "prefix", "regex") if text(entry, key, how)}


def _written_mirror_match(entry: dict[str, Any]) -> dict[str, Any]:
    parts = {key: _written_match(entry, key) for key in ("method", "path")}
    written: dict[str, Any] = {key: part for key, part in parts.items() if part is not None}
    headers = mapping(entry, "headers")
    if headers:
        written["headers"] = {name: _written_match(headers, name) or {} for name in sorted(headers)}
    return written


def _mirror_route(data: dict[str, Any]) -> MirrorRoute:
    """A route; the controller copies all matching requests where no percentage is given, and none without a match."""
    matches = tuple(_mirror_match(entry) for entry in mappings(data, "match"))
    written = integer(data, "percentage")
    percentage = (100 if written is None else written) if matches else None
    shown = [_written_mirror_match(entry) for entry in mappings(data, "match")]
    return MirrorRoute(text(data, "name"), percentage, matches, _written(data, shown))


def _mirror_match(entry: dict[str, Any]) -> HttpMatch:
    """The controller writes ``path`` as ``uri`` (istio.go:1366-1374)."""
    how = {key: string_match(entry[key]) for key in ("method", "path") if isinstance(entry.get(key), dict)}
    headers = tuple((name, string_match(value)) for name, value in sorted(mapping(entry, "headers").items()))
    return HttpMatch(headers=headers, method=how.get("method"), uri=how.get("path"))


def _experiment(data: dict[str, Any]) -> Experiment:
    return Experiment(
        templates=tuple(_experiment_template(entry) for entry in mappings(data, "templates")),
        duration=text(data, "duration"),
        analyses=tuple(_experiment_analysis(entry) for entry in mappings(data, "analyses")),
        scale_down_delay_s=integer(data, "scaleDownDelaySeconds"),
        dry_run=tuple(text(entry, "metricName") for entry in mappings(data, "dryRun")),
    )


def _experiment_template(data: dict[str, Any]) -> ExperimentTemplate:
    return ExperimentTemplate(
        name=text(data, "name"),
        spec_ref=text(data, "specRef"),
        replicas=integer(data, "replicas"),
        weight=integer(data, "weight"),
        service=text(data, "service", "name"),
        has_service=isinstance(data.get("service"), dict),
        labels=labels(data, "metadata", "labels"),
        annotations=labels(data, "metadata", "annotations"),
    )


def _experiment_analysis(data: dict[str, Any]) -> ExperimentAnalysis:
    """One analysis of an experiment names its template directly, unlike a step."""
    template = {"templateName": text(data, "templateName"), "clusterScope": flag(data, "clusterScope")}
    ref = reference({"templates": [template], "args": data.get("args")})
    return ExperimentAnalysis(text(data, "name"), ref, flag(data, "requiredForCompletion"))
