"""What the Datadog provider makes of an answer of API v1 or v2 (metricproviders/datadog/datadog.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sim.metrics import gojson, gotext
from sim.metrics.gojson import NUMBER, RAW, STRING, Shape, array
from sim.metrics.results import NO_FLOAT, error, no_data, number, scalar, vector
from sim.model.analysis import ProviderResult
from sim.model.units import go_duration_s


class _RefusedError(Exception):
    """The backend refused the query, or its answer cannot be read."""


def datadog_config_error(config: Mapping[str, Any]) -> str:
    """What the provider refuses before it asks anything, or '' (metricproviders/datadog/datadog.go:544)."""
    query, queries = config.get("query"), config.get("queries") or {}
    formula, version = config.get("formula"), config.get("apiVersion", "v1")
    asked = bool({"query", "queries"} & set(config))
    checks = (
        (asked and not query and not queries, "Must have either a query or queries. Please review the Analysis Template."),
        (bool(query) and bool(queries), "Cannot have both a query and queries. Please review the Analysis Template."),
        (asked and version == "v1" and not query,
         "Query is empty. API Version v1 only supports using the query parameter in your Analysis Template."),
        (bool(formula) and not queries, "Formula are only valid when queries are set. Please review the Analysis Template."),
        (len(queries) > 1 and not formula, "When multiple queries are provided you must include a formula."),
        (version == "v1" and bool(config.get("aggregator")),
         "Aggregator is not supported in v1. Please review the Analysis Template."),
    )  # fmt: skip
    refused = next((message for applies, message in checks if applies), "")
    return refused or _timeout_error(str(config.get("requestTimeout") or ""))


def _timeout_error(text: str) -> str:
    if not text:
        return ""
    try:
        seconds = go_duration_s(text)
    except (ValueError, OverflowError):
        problem = f"time: invalid duration {gotext.quoted(text)}"
        return f"Could not parse the request timeout: {problem}. Please review the Analysis Template."
    return (
        ""
        if seconds > 0
        else ("Request timeout must be a positive duration (e.g. 30s). Please review the Analysis Template.")
    )


def datadog(answer: Mapping[str, Any], config: Mapping[str, Any]) -> ProviderResult:  # noqa: PLR0911  # one return per way it ends
    """v1: last point of the first series; v2: one number, or a slice when there is a group column.

    ``config["grouped"]`` false is the provider before 1.10.0, which reads the first column as numbers.
    """
    refused = datadog_config_error(config)
    if refused:
        return error(refused)
    if answer.get("error"):
        return error(str(answer["error"]))
    status, body = answer.get("httpStatus", 200), answer.get("body", answer.get("bodyText", {}))
    text = body if isinstance(body, str) else gotext.document(body)
    if status in {401, 403}:
        return error(f"received authentication error response code: {status} {text}")
    if status != _OK:
        return error(f"received non 2xx response code: {status} {text}")
    try:
        decoded = gotext.from_json(body) if isinstance(body, str) else body
        if config.get("apiVersion") != "v2":
            return _datadog_v1(gojson.decoded(decoded, _V1))
        grouped = config.get("grouped", True)
        return _datadog_v2(gojson.decoded(decoded, _V2 if grouped else _V2_UNGROUPED), grouped=grouped)
    except (TypeError, ValueError) as problem:
        return error(f"Could not parse JSON body: {problem}")


_OK: Final = 200
_SERIES: Final = Shape(
    "object",
    'struct { Pointlist [][]float64 "json:\\"pointlist\\"" }',
    fields={"pointlist": array(array(NUMBER))},
)
_V1: Final = Shape("object", "datadog.datadogResponseV1", "datadogResponseV1", {"Series": array(_SERIES)})
_COLUMN: Final = Shape(
    "object",
    "datadog.datadogV2Column",
    "datadogV2Column",
    {"name": STRING, "type": STRING, "values": array(RAW, "[]json.RawMessage")},
)
_NUMBERS: Final = Shape(
    "object",
    "struct { Values []*float64 }",
    fields={"Values": array(Shape("number", "float64", pointer=True), "[]*float64")},
)


def _response_v2(column: Shape) -> Shape:
    attributes = Shape("object", f"struct {{ Columns []{column.type} }}", fields={"Columns": array(column)})
    data = Shape(
        "object",
        f"struct {{ Attributes {attributes.type}; Errors string }}",
        fields={"Attributes": attributes, "Errors": STRING},
    )
    return Shape("object", "datadog.datadogResponseV2", "datadogResponseV2", {"Data": data})


_V2: Final = _response_v2(_COLUMN)
_V2_UNGROUPED: Final = _response_v2(_NUMBERS)


def _datadog_v1(body: Mapping[str, Any]) -> ProviderResult:
    series = body["Series"]
    points = series[0]["pointlist"] if series else None
    if not points:
        return ProviderResult(None, NO_FLOAT, gotext.document(series))
    if len(points[-1] or ()) != len(("time", "value")):
        return error("Datapoint does not have 2 values")
    return scalar(number(points[-1][1]))


def _datadog_v2(body: Mapping[str, Any], *, grouped: bool) -> ProviderResult:
    problem = body["Data"]["Errors"]
    if problem:
        return error(f"There were errors in your query: {problem}")
    columns = body["Data"]["Attributes"]["Columns"]
    if not grouped:
        return _first_column(columns)
    columns = columns or []
    try:
        rows = _rows(columns)
    except _RefusedError as refused:
        return error(str(refused))
    if not rows:
        return no_data()
    values = [value for _, value in rows]
    return vector(values) if _groups(columns) else scalar(values[0])


def _rows(columns: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """(group name, value) of each row of the first column of numbers, but for those without data."""
    found: list[tuple[str, float]] = []
    numbers = next((column for column in columns if column.get("type", "") in {"", "number"}), None)
    groups = _groups(columns)
    for index, value in enumerate((numbers or {}).get("values") or ()):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raw, name = gotext.quoted(gotext.document(value)), gotext.quoted(str((numbers or {}).get("name", "")))
            reason = f"json: cannot unmarshal {gojson.kind_of(value)} into Go value of type float64"
            msg = f"could not parse numeric value {raw} in column {name}: {reason}"
            raise _RefusedError(msg)
        found.append((_group_name(groups, index), float(value)))
    return found


def _groups(columns: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [column for column in columns if column.get("type") == "group"]


def _group_name(groups: Sequence[Mapping[str, Any]], index: int) -> str:
    parts: list[str] = []
    for column in groups:
        values = column.get("values") or ()
        tags = values[index] if index < len(values) else None
        if not isinstance(tags, list) or not tags or not all(isinstance(tag, str) for tag in tags):
            msg = f"could not parse group label at index {index}"
            raise _RefusedError(msg)
        parts += tags
    return ",".join(parts)


def _first_column(columns: Sequence[Mapping[str, Any]] | None) -> ProviderResult:
    """The provider before 1.10."""
    first = (columns[0]["Values"] if columns else None) or [None]
    if first[0] is not None:
        return scalar(first[0])
    shown = columns[0]["Values"] if columns and len(columns) == 1 else {"Columns": columns}
    return ProviderResult(None, NO_FLOAT, gotext.document(shown))


def datadog_groups(answer: Mapping[str, Any]) -> list[tuple[str, float]]:
    """(group name, value) of a grouped v2 answer, without the groups whose value is null."""
    body = answer["body"]
    decoded = gotext.from_json(body) if isinstance(body, str) else body
    return _rows(gojson.decoded(decoded, _V2)["Data"]["Attributes"]["Columns"])
