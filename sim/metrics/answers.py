"""What each provider makes of its backend's answer: the typed result, its recorded text, or an error.

Behaviour reference section 4. Results keep the name of their Go type, because the controller compiles conditions
against it. An answer is the decoded JSON of the backend's reply with ``httpStatus`` where the transport has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sim.metrics import gojson, gotext, jsonpath
from sim.metrics.datadog_answers import datadog
from sim.metrics.gojson import RAW, STRING, Shape, array
from sim.metrics.jsonpath import PathError
from sim.metrics.results import FLOAT, FLOATS, JSON, error, number, scalar, vector
from sim.model.analysis import ProviderResult


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


def web(answer: Mapping[str, Any], config: Mapping[str, Any]) -> ProviderResult:
    """The value at the JSON path (the first match), the whole document without one, the text if it is not JSON."""
    path = config.get("jsonPath") or "{$}"
    broken = jsonpath.check(path) or _web_body_error(config)
    if broken:
        return error(broken)
    if answer.get("error"):
        return error(str(answer["error"]))
    status, text = answer.get("httpStatus", 200), answer.get("bodyText", "")
    if not 200 <= status < 300:
        return error(f"received non 2xx response code: {status}")
    try:
        decoded = gotext.from_json(text)
    except ValueError:
        return ProviderResult(text, "string", text)
    try:
        found = jsonpath.first_match(decoded, path)
    except PathError as problem:
        nothing = "produced no value" in str(problem)
        return error(str(problem) if nothing else f"Could not find JSONPath in body: {problem}")
    return ProviderResult(found, JSON, gotext.document(found))


def _web_body_error(config: Mapping[str, Any]) -> str:
    body, document = config.get("body"), config.get("jsonBody")
    if body and document is not None:
        return "use either Body or JSONBody; both cannot exists for WebMetric payload"
    if (body or document is not None) and config.get("method", "GET") in {"", "GET"}:
        return "Body/JSONBody can only be used with POST or PUT WebMetric Method types"
    return ""


def newrelic(answer: Any, config: Mapping[str, Any]) -> ProviderResult:
    """The row when there is one, all rows when several; none, or an empty one, is an error."""
    del config
    if isinstance(answer, Mapping) and "error" in answer:
        return error(str(answer["error"]))
    rows = gotext.floats(list(answer or ()))
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
    text = gotext.general([[number(value) for value in row.get("Values") or ()] for row in results])
    return ProviderResult(results, "[]MetricDataResult", text)


def influxdb(answer: Mapping[str, Any] | None, config: Mapping[str, Any]) -> ProviderResult:
    """The value column, row by row; no row is an error."""
    del config
    if answer is None:
        return error("no QueryTableResult returned from flux query")
    if "error" in answer:
        return error(str(answer["error"]))
    values = list(answer.get("_value") or ())
    if not values:
        return error("no results returned from flux query")
    return ProviderResult(values, "[]interface{}", gotext.general(values))


_TARGET: Final = Shape(
    "object",
    "graphite.graphiteTargetResp",
    "graphiteTargetResp",
    {"target": STRING, "datapoints": array(RAW, "[]graphite.dataPoint")},
)
_TARGETS: Final = array(_TARGET, "graphite.graphiteResponse")
_POINT_PATH: Final = (("datapoints",), "graphiteTargetResp")


class _UnreadableError(Exception):
    """A point that is none."""


def graphite(answer: Any, config: Mapping[str, Any]) -> ProviderResult:
    """Points of the first target without the nulls; no target or no point is an error.

    An answer may be an HTTP answer, Graphite's document, or the first target's points alone.
    """
    del config
    if isinstance(answer, Mapping):
        if "error" in answer:
            return error(str(answer["error"]))
        status, body = answer.get("httpStatus", 200), answer.get("body", answer.get("values", ()))
        if status >= 400:
            return error(f"error response: {body if isinstance(body, str) else gotext.document(body)}")
        answer = body
    try:
        points = _graphite_points(answer)
    except (TypeError, ValueError, _UnreadableError) as problem:
        return error(str(problem))
    if not points:
        return error("no values found")
    values = [point for point in points if point is not None]
    return ProviderResult(values, FLOATS, "[" + ",".join(gotext.fixed(value, 6) for value in values) + "]")


def _graphite_points(answer: Any) -> list[float | None]:
    if isinstance(answer, list | tuple) and not any(isinstance(one, Mapping) for one in answer):
        return [_point(one) if isinstance(one, list) else _point_value(one) for one in answer]
    body = gotext.from_json(answer) if isinstance(answer, str) else answer
    # A point that cannot be read ends the decoding at once; other misfits are only reported when it is through.
    lists = (
        [one.get("datapoints") if isinstance(one, Mapping) else None for one in body] if isinstance(body, list) else []
    )
    points = [[_point(point) for point in one] if isinstance(one, list) else [] for one in lists]
    gojson.decoded(body, _TARGETS)
    return points[0] if points else []


def _point(written: Any) -> float | None:
    """A data point's value, text read as a number: ``[value, time]``."""
    row = gojson.decoded(written, gojson.ANYTHING, *_POINT_PATH) or []
    if len(row) != len(("value", "time")):
        msg = f"error unmarshaling data point: {gotext.general(gotext.floats(row))}"
        raise _UnreadableError(msg)
    value = _point_value(row[0])
    _check_time(row[1], row[0])
    return value


def _point_value(written: Any) -> float | None:
    if written is None:
        return None
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        msg = f"error unmarshaling value: {gotext.general(gotext.floats(written))}"
        raise _UnreadableError(msg)
    return gotext.parsed_float(written) if isinstance(written, str) else float(written)


def _check_time(written: Any, value: Any) -> None:
    if written is None or (isinstance(written, int | float) and not isinstance(written, bool)):
        return
    if not isinstance(written, str):
        msg = f"error unmarshaling timestamp: {gotext.general(gotext.floats(value))}"
        raise _UnreadableError(msg)
    gotext.parsed_int(written)


def wavefront(answer: Mapping[str, Any], config: Mapping[str, Any]) -> ProviderResult:
    """Of every series the point nearest to the measurement's start; one series gives a number, several a slice."""
    del config
    if answer.get("error"):
        return error(str(answer["error"]))
    series = answer.get("timeSeries") or ()
    if not series:
        return error("No TimeSeries found in response from Wavefront")
    at_s = answer.get("measuredAt")
    values = [picked_point(points, points[-1][0] if at_s is None and points else at_s or 0.0)[0] for points in series]
    texts = [gotext.fixed(value, 2) for value in values]
    if len(values) == 1:
        return ProviderResult(values[0], FLOAT, texts[0])
    return ProviderResult(values, FLOATS, "[" + ",".join(texts) + "]")


def picked_point(points: Sequence[Sequence[float]], at_s: float) -> tuple[float, int]:
    """(value, seconds it lies after the instant) of the point nearest in time, the first of two equally near."""
    if not points:
        return 0.0, -(2**63)
    best = min(points, key=lambda point: abs(point[0] - at_s))
    return number(best[1]), int(best[0] - at_s)


def skywalking(answer: Any, config: Mapping[str, Any]) -> ProviderResult:
    """The decoded GraphQL answer; none is an error."""
    del config
    if answer is None:
        return error("no results returned from SkyWalking query")
    if isinstance(answer, Mapping) and set(answer) == {"error"}:
        return error(str(answer["error"]))
    decoded = gotext.floats(answer)
    return ProviderResult(decoded, JSON, gotext.document(decoded))


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


def document(value: Any) -> ProviderResult:
    """Decoded JSON as it is."""
    return ProviderResult(value, JSON, gotext.document(value))
