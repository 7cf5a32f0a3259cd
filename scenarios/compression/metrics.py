"""Analyses: the metrics of templates and runs, and the arguments that are durations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from scenarios.compression import datadog, promql
from scenarios.compression.pace import Pace, Spot, any_duration, changed, go_duration, seconds
from scenarios.manifests import Document

_HOLDERS: Final = ("AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun")
_METRIC: Final = ("spec", "metrics", "*")
_WINDOW: Final = "5m"
"""The CRD's default of ``provider.datadog.interval``."""
_CALLED: Final = re.compile(r"(duration\(\s*)([\"'])([^\"']*)\2")


def duration_arguments(objects: Iterable[Document]) -> frozenset[str]:
    """Names of the arguments that some template puts where a duration stands."""
    silent = Pace(1.0)
    found: set[str] = set()
    for item in objects:
        if item.kind in _HOLDERS:
            spot = Spot(silent, "")
            for text, query in _texts(item.data, spot):
                whole = promql.PLACEHOLDER.fullmatch(text.strip())
                found |= {whole[1]} if whole and not query else set()
                found |= promql.rewritten(text, spot).arguments if query else set()
    return frozenset(found)


def _texts(data: dict[str, Any], spot: Spot) -> Iterator[tuple[str, bool]]:
    """Every text that may hold a duration, and whether it is PromQL."""
    seen: list[tuple[str, bool]] = []

    def keep(*, query: bool) -> Any:
        def change(value: Any, _: Spot) -> Any:
            seen.extend([(value, query)] if isinstance(value, str) else [])
            return value

        return change

    for path in _DURATIONS:
        changed(data, (*_METRIC, *path), keep(query=False), spot)
    changed(data, (*_METRIC, "provider", "prometheus", "query"), keep(query=True), spot)
    called = (*_METRIC, "provider", "prometheus", "rangeQuery")
    for end in ("start", "end"):
        changed(data, (*called, end), lambda text, _: seen.extend((m[3], False) for m in _calls(text)), spot)
    yield from seen


_DURATIONS: Final = (
    ("interval",),
    ("initialDelay",),
    ("provider", "datadog", "interval"),
    ("provider", "prometheus", "rangeQuery", "step"),
)


def _calls(text: Any) -> Iterator[re.Match[str]]:
    return _CALLED.finditer(text) if isinstance(text, str) else iter(())


def analysis(data: dict[str, Any], arguments: frozenset[str], spot: Spot) -> Any:
    """An AnalysisTemplate, ClusterAnalysisTemplate or AnalysisRun, divided."""
    data = changed(data, (*_METRIC, "provider", "datadog"), _with_window, spot)
    for path in _DURATIONS:
        data = changed(data, (*_METRIC, *path), _go, spot)
    prometheus = (*_METRIC, "provider", "prometheus")
    data = changed(data, (*prometheus, "query"), promql_text, spot)
    for end in ("start", "end"):
        data = changed(data, (*prometheus, "rangeQuery", end), _instant, spot)
    data = changed(data, (*_METRIC, "provider", "datadog", "query"), _datadog, spot)
    data = changed(data, (*_METRIC, "provider", "datadog", "queries"), _datadog_queries, spot)
    for part in ("Completion", "Success", "Failure"):
        data = changed(data, ("spec", "ttlStrategy", f"secondsAfter{part}"), seconds, spot)
    data = changed(data, (*_METRIC, "provider"), _others, spot)
    return divided_arguments(data, ("spec",), arguments, spot)


def divided_arguments(data: Any, block: Iterable[str], arguments: frozenset[str], spot: Spot) -> Any:
    """The data with the durations among the ``args`` of a block divided."""

    def argument(entry: Any, where: Spot) -> Any:
        if not isinstance(entry, dict) or entry.get("name") not in arguments:
            return entry
        if isinstance(entry.get("valueFrom"), dict):
            where.note("a duration that comes from elsewhere stays")
        return changed(entry, ("value",), any_duration, where)

    return changed(data, (*block, "args", "*"), argument, spot)


def promql_text(value: Any, spot: Spot) -> Any:
    """A PromQL query, divided."""
    return promql.rewritten(value, spot).text if isinstance(value, str) else value


def _go(value: Any, spot: Spot) -> Any:
    if isinstance(value, str) and "{{" in value and not promql.PLACEHOLDER.fullmatch(value.strip()):
        spot.note(f"{value} is put together from an argument and stays")
    return go_duration(value, spot)


def _with_window(provider: Any, spot: Spot) -> Any:
    """Datadog's window written out, so that it is divided too."""
    if not isinstance(provider, dict) or provider.get("interval"):
        return provider
    spot.note(f"interval is not written; its default of {_WINDOW} is divided too")
    return provider | {"interval": _WINDOW}


def _instant(value: Any, spot: Spot) -> Any:
    """``now() - duration("5m")``: the durations that the expression names."""
    if not isinstance(value, str):
        return value
    return _CALLED.sub(lambda match: f"{match[1]}{match[2]}{go_duration(match[3], spot)}{match[2]}", value)


def _datadog(value: Any, spot: Spot) -> Any:
    return datadog.rewritten(value, spot) if isinstance(value, str) else value


def _datadog_queries(value: Any, spot: Spot) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _datadog(query, spot.at(name)) for name, query in value.items()}


def _others(provider: Any, spot: Spot) -> Any:
    """Answers of other providers are scripted; what they were asked stays."""
    for kind in provider if isinstance(provider, dict) else ():
        if kind not in {"prometheus", "datadog"}:
            spot.at(kind).note("what this provider is asked stays as written")
    return provider
