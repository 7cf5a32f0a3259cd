"""What each provider makes of its backend's answer: the typed result, its recorded text, or an error.

Behaviour reference section 4. Results keep the name of their Go type, because the controller compiles conditions
against it. An answer is the decoded JSON of the backend's reply with ``httpStatus`` where the transport has one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sim.metrics import gotext
from sim.metrics.jsonpath import NoMatch, first_match
from sim.model.analysis import ProviderResult

FLOAT: Final = "float64"
FLOATS: Final = "[]float64"
NO_FLOAT: Final = "*float64"
"""A nil pointer: Datadog found no data."""
JSON: Final = "any"
"""Decoded JSON; its concrete type is the value's own."""


def error(message: str) -> ProviderResult:
    """A measurement that could not be taken."""
    return ProviderResult(error=message)


def scalar(value: float) -> ProviderResult:
    """One number."""
    return ProviderResult(value, FLOAT, gotext.number(value))


def vector(values: Sequence[float]) -> ProviderResult:
    """A slice of numbers in arrival order, possibly empty."""
    return ProviderResult(list(values), FLOATS, "[" + ",".join(map(gotext.number, values)) + "]")


def no_data() -> ProviderResult:
    """Datadog's answer without a point: nil, recorded as ``[]`` where a condition can still judge it."""
    return ProviderResult(None, NO_FLOAT, "[]")


def number(raw: Any) -> float:
    """A JSON number, or one of the texts JSON has no number for (``NaN``, ``+Inf``, ``-Inf``)."""
    return float(raw)


def prometheus(answer: Mapping[str, Any], config: Mapping[str, Any]) -> ProviderResult:
    """Scalar: float64; vector: one float64 a series; matrix: every sample, flattened; anything else is an error."""
    del config
    if "error" in answer:
        return error(str(answer["error"]))
    match answer.get("resultType"):
        case "scalar":
            return scalar(number(answer["value"]))
        case "vector":
            return vector([number(_sample(one)) for one in answer.get("values", answer.get("result", ()))])
        case "matrix":
            rows = answer.get("values", answer.get("result", ()))
            return vector([number(_sample(one)) for row in rows for one in _row(row)])
    return error("Prometheus metric type not supported")


def _row(row: Any) -> Any:
    if isinstance(row, Mapping):
        return row.get("values", ())
    return row if isinstance(row, list) else [row]


def _sample(one: Any) -> Any:
    """The value of a sample written bare, as ``[time, value]`` or as ``{"value": ...}``."""
    if isinstance(one, Mapping):
        return _sample(one["value"])
    return one[1] if isinstance(one, list) else one


def datadog_config_error(config: Mapping[str, Any]) -> str:
    """What the provider refuses before it asks anything, or ''."""
    query, queries = config.get("query"), config.get("queries") or {}
    formula, version = config.get("formula"), config.get("apiVersion", "v1")
    checks = (
        (not query and not queries and version == "v1" and "query" in config,
         "Query is empty. API Version v1 only supports using the query parameter in your Analysis Template."),
        (bool(query) and bool(queries), "Cannot have both a query and queries. Please review the Analysis Template."),
        (bool(queries) and version == "v1",
         "Query is empty. API Version v1 only supports using the query parameter in your Analysis Template."),
        (bool(formula) and not queries, "Formula are only valid when queries are set. Please review the Analysis Template."),
        (len(queries) > 1 and not formula, "When multiple queries are provided you must include a formula."),
        (version == "v1" and bool(config.get("aggregator")),
         "Aggregator is not supported in v1. Please review the Analysis Template."),
    )  # fmt: skip
    return next((message for refused, message in checks if refused), "")


def datadog(answer: Mapping[str, Any], config: Mapping[str, Any]) -> ProviderResult:
    """v1: last point of the first series; v2: one number, or a slice when there is a group column."""
    refused = datadog_config_error(config)
    if refused:
        return error(refused)
    status, body = answer.get("httpStatus", 200), answer.get("body", answer.get("bodyText", {}))
    text = body if isinstance(body, str) else gotext.document(body)
    if status in {401, 403}:
        return error(f"received authentication error response code: {status} {text}")
    if not 200 <= status < 300:
        return error(f"received non 2xx response code: {status} {text}")
    try:
        decoded = json.loads(body) if isinstance(body, str) else body
        return (_datadog_v2 if config.get("apiVersion") == "v2" else _datadog_v1)(decoded)
    except (TypeError, KeyError, AttributeError, ValueError, IndexError):
        return error(f"Could not parse JSON body: {text}")


def _datadog_v1(body: Mapping[str, Any]) -> ProviderResult:
    problem = body.get("error") or body.get("errors")
    if problem:
        return error(f"There were errors in your query: {problem}")
    series = body.get("series") or []
    if not isinstance(series, list):
        raise TypeError
    if not series or not series[0].get("pointlist"):
        return no_data()
    # Go decodes a null point into 0 (evaluators reference 3, inferred).
    return scalar(number(series[0]["pointlist"][-1][1] or 0.0))


def _datadog_v2(body: Mapping[str, Any]) -> ProviderResult:
    data = body.get("data", {})
    problem = data.get("errors") or body.get("errors")
    if problem:
        return error(f"There were errors in your query: {problem}")
    columns = (data.get("attributes") or {}).get("columns") or []
    numbers = next((column for column in columns if column.get("type", "number") != "group"), None)
    values: list[Any] = (numbers.get("values") or []) if numbers else []
    if any(column.get("type") == "group" for column in columns):
        kept = [number(value) for value in values if value is not None]
        return vector(kept) if kept else no_data()
    return scalar(number(values[0])) if values and values[0] is not None else no_data()


def datadog_groups(answer: Mapping[str, Any]) -> list[tuple[str, float]]:
    """(group name, value) of a grouped v2 answer, without the groups whose value is null."""
    columns = answer["body"]["data"]["attributes"]["columns"]
    names = [column["values"] for column in columns if column.get("type") == "group"]
    values: list[Any] = next((column["values"] for column in columns if column.get("type") != "group"), [])
    rows = zip(zip(*names, strict=True), values, strict=False)
    return [(",".join(part for parts in row for part in parts), value) for row, value in rows if value is not None]


def web(answer: Mapping[str, Any], config: Mapping[str, Any]) -> ProviderResult:  # noqa: PLR0911  # one return per way it ends
    """The value at the JSON path (the first match), the whole document without one, the text if it is not JSON."""
    if config.get("body") and config.get("jsonBody"):
        return error("use either Body or JSONBody; both cannot exists for WebMetric payload")
    if answer.get("error"):
        return error(str(answer["error"]))
    status, text = answer.get("httpStatus", 200), answer.get("bodyText", "")
    if not 200 <= status < 300:
        return error(f"received non 2xx response code: {status}")
    path = config.get("jsonPath") or "{$}"
    try:
        decoded = json.loads(text)
    except ValueError as problem:
        if config.get("jsonPath"):
            return error(f"Could not parse JSON body: {problem}")
        return ProviderResult(text, "string", text)
    try:
        found = first_match(decoded, path)
    except NoMatch as problem:
        return error(f"Could not find JSONPath in body: {problem}")
    return ProviderResult(found, JSON, gotext.document(found))


def newrelic(answer: Any, config: Mapping[str, Any]) -> ProviderResult:
    """The row when there is one, all rows when several; none, or an empty one, is an error."""
    del config
    if isinstance(answer, Mapping) and "error" in answer:
        return error(str(answer["error"]))
    rows = list(answer or ())
    if not rows or rows == [{}]:
        return error("no results returned from NRQL query")
    value = rows[0] if len(rows) == 1 else rows
    return ProviderResult(value, JSON, gotext.document(value))


def cloudwatch(answer: Any, config: Mapping[str, Any]) -> ProviderResult:
    """The list of metric data results, whose fields have Go's exported names."""
    del config
    if isinstance(answer, Mapping) and "error" in answer:
        return error(str(answer["error"]))
    rows = answer.get("MetricDataResults", ()) if isinstance(answer, Mapping) else answer
    results = [dict(row) for row in rows or ()]
    text = gotext.document([row.get("Values") or [] for row in results])
    return ProviderResult(results, "[]MetricDataResult", text)


def influxdb(answer: Mapping[str, Any], config: Mapping[str, Any]) -> ProviderResult:
    """The value column, row by row; no row is an error."""
    del config
    if answer and "error" in answer:
        return error(str(answer["error"]))
    values = list((answer or {}).get("_value") or ())
    if not values:
        return error("no results returned from flux query")
    return ProviderResult(values, "[]interface{}", gotext.general(values))


def graphite(answer: Any, config: Mapping[str, Any]) -> ProviderResult:
    """Points of the first target without the nulls; no target or no point is an error."""
    del config
    if isinstance(answer, Mapping):
        if "error" in answer:
            return error(str(answer["error"]))
        status = answer.get("httpStatus", 200)
        if not 200 <= status < 300:
            return error(f"received non 2xx response code: {status}")
        answer = answer.get("body", answer.get("values", ()))
    points = answer[0].get("datapoints", ()) if answer and isinstance(answer[0], Mapping) else answer
    if not points:
        return error("no values found")
    values = [number(point[0] if isinstance(point, list) else point) for point in points if _present(point)]
    return ProviderResult(values, FLOATS, "[" + ",".join(f"{value:.6f}" for value in values) + "]")


def _present(point: Any) -> bool:
    return (point[0] if isinstance(point, list) else point) is not None


def wavefront(answer: Mapping[str, Any], config: Mapping[str, Any]) -> ProviderResult:
    """Of every series the point nearest to the measurement's start; one series gives a number, several a slice."""
    del config
    if "error" in answer:
        return error(str(answer["error"]))
    series = answer.get("timeSeries") or ()
    if not series:
        return error(f"No TimeSeries found in response from Wavefront: {answer.get('warnings') or ''}")
    at_s = answer.get("measuredAt")
    values = [picked_point(points, points[-1][0] if at_s is None else at_s)[0] for points in series]
    texts = [f"{value:.2f}" if math.isfinite(value) else gotext.number(value) for value in values]
    if len(values) == 1:
        return ProviderResult(values[0], FLOAT, texts[0])
    return ProviderResult(values, FLOATS, "[" + ",".join(texts) + "]")


def picked_point(points: Sequence[Sequence[float]], at_s: float) -> tuple[float, float]:
    """(value, drift in seconds) of the point nearest in time, the earlier one of two equally near."""
    best = min(points, key=lambda point: abs(point[0] - at_s))
    return number(best[1]), abs(best[0] - at_s)


def skywalking(answer: Any, config: Mapping[str, Any]) -> ProviderResult:
    """The decoded GraphQL answer; none is an error."""
    del config
    if answer is None:
        return error("no results returned from SkyWalking query")
    if isinstance(answer, Mapping) and set(answer) == {"error"}:
        return error(str(answer["error"]))
    return ProviderResult(answer, JSON, gotext.document(answer))


INTERPRETERS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], ProviderResult]]] = {
    "prometheus": prometheus,
    "datadog": datadog,
    "web": web,
    "newrelic": newrelic,
    "cloudwatch": cloudwatch,
    "influxdb": influxdb,
    "graphite": graphite,
    "wavefront": wavefront,
    "skywalking": skywalking,
}
"""By the provider's key in lower case; kayenta and job judge by themselves, see ``verdicts``."""


def scripted(kind: str, value: Any) -> ProviderResult:
    """A provider's result for a value the scenario gives directly, typed as that provider would."""
    if kind in {"graphite", "wavefront", "prometheus", "datadog"}:
        return vector([number(one) for one in value]) if isinstance(value, list) else scalar(number(value))
    if kind == "influxdb":
        return influxdb({"_value": value if isinstance(value, list) else [value]}, {})
    if kind == "cloudwatch":
        return cloudwatch(value, {})
    return ProviderResult(value, JSON, gotext.document(value))
