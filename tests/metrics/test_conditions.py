"""Conditions beyond the vectors: types before values, the wording of refusals, what the static check can know."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics import conditions
from sim.metrics.conditions import ExprError
from sim.model.analysis import AnalysisPhase, ProviderResult

FLOAT, FLOATS = "float64", "[]float64"


@pytest.mark.parametrize(
    ("value", "go_type", "condition", "expected"),
    [
        pytest.param(0.999, FLOAT, "result >= 0.995", True, id="number"),
        pytest.param([0.999], FLOATS, "result[0] >= 0.995", True, id="vector"),
        pytest.param([1.0, 2.0], FLOATS, "len(result) == 2 && result[-1] == 2", True, id="length, negative index"),
        pytest.param([], FLOATS, "len(result) == 0 || result[0] < 1", True, id="guard against an empty vector"),
        pytest.param([], FLOATS, "isNil(result)", False, id="an empty vector is not nil"),
        pytest.param(None, "*float64", "default(result, 0) < 1", True, id="default replaces nil"),
        pytest.param(None, "*float64", "(result ?? 5) == 5", True, id="?? replaces nil"),
        pytest.param([2.0, math.nan], FLOATS, "max(result) == 2", True, id="max keeps what came before NaN"),
        pytest.param([math.nan, 2.0], FLOATS, "max(result) == 2", False, id="max keeps NaN that came first"),
        pytest.param([], FLOATS, "mean(result) == 0 && sum(result) == 0", True, id="mean and sum of nothing"),
        pytest.param([], FLOATS, "all(result, # > 1) && none(result, # > 1)", True, id="all and none of nothing"),
        pytest.param([1.0, 2.0], FLOATS, "count(result, {# > 1}) == 1", True, id="count"),
        pytest.param([1.0, 2.0], FLOATS, "filter(result, # > 1)[0] == 2", True, id="filter"),
        pytest.param([1.0, 2.0], FLOATS, "map(result, # * 2) == [2, 4]", True, id="map and list equality"),
        pytest.param([1.0, 2.0], FLOATS, "result | any(# > 1)", True, id="pipe"),
        pytest.param(5.0, FLOAT, "5 / 2 == 2.5 and 7 % 2 == 1", True, id="division is of floats"),
        pytest.param(
            5.0, FLOAT, "-2 ** 2 == -4 and 2 ** 3 ** 2 == 512", True, id="power binds before minus, to the right"
        ),
        pytest.param(5.0, FLOAT, "1 < result < 10", True, id="chained comparison"),
        pytest.param(5.0, FLOAT, "result not in [1, 2]", True, id="not in"),
        pytest.param(5.0, FLOAT, "result in 1..5", True, id="range"),
        pytest.param(5.0, FLOAT, "if result > 1 { true } else { false }", True, id="if"),
        pytest.param(5.0, FLOAT, "let x = result; let y = x + 1; y == 6 // six", True, id="lets and a comment"),
        pytest.param(5.0, FLOAT, "int(result) % 2 == 1 and round(2.5) == 3 and abs(-1) == 1", True, id="numbers"),
        pytest.param({"a": [{"b": 1}]}, "any", "result.a[0].b == 1 and result['a'] != nil", True, id="nested JSON"),
        pytest.param({"a": [{"b": "x"}]}, "any", 'all(result.a, {.b startsWith "x"})', True, id="field of an element"),
        pytest.param({"a": 1}, "any", "result?.b?.c == nil", True, id="optional chain"),
        pytest.param({"a": 1}, "any", "'a' in result and not ('b' in result)", True, id="key in a map"),
        pytest.param(
            "ok", "string", 'result contains "o" && result endsWith "k" && len(result) == 2', True, id="strings"
        ),
        pytest.param([{"Values": [1]}], "[]MetricDataResult", "result[0].Values[0] == 1", True, id="cloudwatch"),
        pytest.param(math.inf, FLOAT, "isInf(result) and not isNaN(result)", True, id="infinity"),
    ],
)
def test_holds(value: Any, go_type: str, condition: str, expected: bool) -> None:
    assert conditions.holds(value, go_type, condition) is expected


@pytest.mark.parametrize(
    ("value", "go_type", "condition", "reason"),
    [
        pytest.param(0.999, FLOAT, "result[0] >= 0.995", "type float64[int] is undefined", id="index of a number"),
        pytest.param([0.9], FLOATS, "result >= 0.9", "invalid operation: >= (mismatched types []float64 and float64)",
                     id="vector without index"),
        pytest.param([0.9], FLOATS, "result[1] > 0", "index out of range: 1 (array length is 1)", id="too few series"),
        pytest.param(1.0, FLOAT, "result % 2 == 1", "invalid operation: % (mismatched types float64 and int)", id="%"),
        pytest.param(1.0, FLOAT, "false && foo", "unknown name foo", id="no short circuit at compile time"),
        pytest.param(1.0, FLOAT, "isNaN(len([1]))", "interface conversion: interface {} is int, not float64", id="isNaN of an int"),
        pytest.param([1.0], FLOATS, "isNaN(result)",
                     "cannot use []float64 as argument (type float64) to call isNaN ", id="isNaN of a vector"),
        pytest.param(1.0, FLOAT, "result", "expected bool, but got float64", id="no boolean"),
        pytest.param(1.0, FLOAT, 'result == "1"', "invalid operation: == (mismatched types float64 and string)", id="=="),
        pytest.param(1.0, FLOAT, "result >", "unexpected token EOF", id="unfinished"),
        pytest.param(1.0, FLOAT, "result > 1)", 'unexpected token Bracket(")")', id="unbalanced"),
        pytest.param(1.0, FLOAT, "result @ 1", "unrecognized character: U+0040 '@'", id="character"),
        pytest.param(1.0, FLOAT, "# > 1", 'unexpected token Operator("#")', id="pointer outside a predicate"),
        pytest.param(1.0, FLOAT, "result > 1 ?? 2", None, id="?? after a comparison"),
        pytest.param(1.0, FLOAT, "asInt(true) == 1", "asInt() not supported on bool true", id="asInt of a boolean"),
        pytest.param("x", "string", "asInt(result) == 1", 'strconv.ParseInt: parsing "x": invalid syntax', id="asInt"),
        pytest.param({"a": None}, "any", "result.a.b == 1", "cannot fetch b from <nil>", id="field of nil"),
        pytest.param({"a": 1}, "any", "all(result, # > 1)",
                     "builtin all takes only array (got map[string]interface {})", id="predicate over a map"),
        pytest.param([1.0], FLOATS, "all(result, # + 1)", "predicate should return boolean (got float64)", id="predicate"),
    ],
)  # fmt: skip
def test_refusals(value: Any, go_type: str, condition: str, reason: str | None) -> None:
    if reason is None:
        assert conditions.holds(value, go_type, condition) is False
        return
    with pytest.raises(ExprError) as caught:
        conditions.holds(value, go_type, condition)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("condition", "go_type", "reason"),
    [
        pytest.param("result[0] >= 0.995", FLOAT, "type float64[int] is undefined", id="the playbook's Datadog gates"),
        pytest.param("result[0] <= result[1] * 1.1", FLOATS, None, id="only the run shows a missing series"),
        pytest.param("result.a > 1", "any", None, id="JSON may hold anything"),
        pytest.param("result + 1", "any", None, id="unknown may be boolean"),
        pytest.param("len(result)", FLOATS, "expected bool, but got int", id="no boolean"),
        pytest.param("result > {{args.x}}", FLOAT, "a map key must be", id="unresolved argument"),
    ],
)
def test_static_check(condition: str, go_type: str, reason: str | None) -> None:
    found = conditions.check(condition, go_type)
    assert found is None if reason is None else (found or "").startswith(reason)


def test_no_data_replaces_every_reason() -> None:
    phase, message = conditions.evaluate(ProviderResult([], FLOATS, "[]"), "", "result[0] > 1")
    assert phase is AnalysisPhase.ERROR
    assert message == f'could not evaluate failureCondition "result[0] > 1": {conditions.NO_DATA}'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("now()", "2026-11-24T10:00:00+00:00", id="now"),
        pytest.param('now() - duration("1h30m")', "2026-11-24T08:30:00+00:00", id="before now"),
        pytest.param('date("2026-01-31") + duration("24h")', "2026-02-01T00:00:00+00:00", id="a day"),
        pytest.param('date("2026-01-31 10:00:00", "2006-01-02 15:04:05", "Asia/Tokyo")', "2026-01-31T10:00:00+09:00",
                     id="a zone"),
    ],
)  # fmt: skip
def test_times_of_range_queries(expression: str, expected: str) -> None:
    assert conditions.time_of(expression, datetime(2026, 11, 24, 10, tzinfo=UTC)).isoformat() == expected


@pytest.mark.parametrize("expression", ["1", '"now"', "hello", "now() +", 'date("x")', 'duration("7d")'])
def test_what_is_no_time(expression: str) -> None:
    with pytest.raises(ExprError):
        conditions.time_of(expression, datetime(2026, 1, 1, tzinfo=UTC))


WORDS = st.sampled_from(
    [
        "result",
        "[",
        "]",
        "0",
        "1.5",
        ">",
        "==",
        "&&",
        "or",
        "not",
        "in",
        "(",
        ")",
        "{",
        "}",
        "#",
        ".a",
        "?.",
        "??",
        "?",
        ":",
        ",",
        "all",
        "len",
        "max",
        "let",
        "x",
        "=",
        ";",
        "|",
        '"s"',
        "nil",
        "true",
        "-",
        "/",
        "%",
        "**",
        "..",
        "date",
        "isNaN",
        "default",
        "map",
        "matches",
        "split",
        "reduce",
        "count",
        "sort",
        "get",
        "repeat",
        "duration",
        "if",
    ]
)
VALUES = st.sampled_from(
    [
        (1.5, FLOAT),
        ([1.0, math.nan], FLOATS),
        (None, "*float64"),
        ({"a": [1, "x"]}, "any"),
        ("s", "string"),
        ([], FLOATS),
    ]
)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.one_of(st.text(max_size=30), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_holds_or_is_refused(result: tuple[Any, str], condition: str) -> None:
    value, go_type = result
    try:
        assert isinstance(conditions.holds(value, go_type, condition), bool)
    except ExprError:
        assert conditions.evaluate(ProviderResult(value, go_type), condition + " ", "")[0] is AnalysisPhase.ERROR
    assert conditions.check(condition, go_type) != ""


@pytest.mark.parametrize("chain", ["1+" * 5000 + "1 > 0", "result" + ".a" * 5000, "result" + "[0]" * 4000])
def test_an_endless_chain_is_an_error_and_no_crash(chain: str) -> None:
    assert conditions.check(chain, "any") == conditions.TOO_DEEP
    phase, message = conditions.evaluate(ProviderResult(1.0, "float64", "1"), chain, "")
    assert phase is AnalysisPhase.ERROR
    assert message.endswith(conditions.TOO_DEEP)
