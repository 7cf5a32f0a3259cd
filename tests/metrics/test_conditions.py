"""Conditions beyond the vectors: types before values, the wording of refusals, what the static check can know."""

from __future__ import annotations

import math
import weakref
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics import conditions
from sim.metrics.conditions import ExprError
from sim.model.analysis import AnalysisPhase, ProviderResult
from sim.model.controller import Expr

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
    assert found is None if reason is None else str(found).startswith(reason)


@pytest.mark.parametrize(
    ("condition", "go_type", "at"),
    [
        pytest.param("result[0] >= 0.995", FLOAT, 6, id="the index"),
        pytest.param("len(result) > 1 && resul > 1", FLOATS, 19, id="an unknown name"),
        pytest.param("result = 1", FLOAT, 7, id="a token"),
        pytest.param("result > 'a'", FLOAT, 7, id="an operator"),
        pytest.param('"é" == 1a', FLOAT, 8, id="characters, not bytes"),
        pytest.param("all(result, # + 1)", FLOATS, 12, id="a predicate"),
    ],
)
def test_an_error_says_where(condition: str, go_type: str, at: int) -> None:
    found = conditions.check(condition, go_type)
    assert found is not None
    assert found.at == at


@pytest.mark.parametrize(
    ("condition", "since", "before"),
    [
        pytest.param("1 < result[0] < 3", True, False, id="chained comparison"),
        pytest.param("max(result) == 2", True, False, id="max of a slice"),
        pytest.param("result == [1, 2]", True, True, id="slice equality compiles"),
        pytest.param("len(uniq(result)) == 2", True, False, id="uniq"),
        pytest.param("if true { true } else { false }", True, False, id="if"),
        pytest.param("result[0] not > 1", False, True, id="not before any operator"),
    ],
)
def test_language_by_version(condition: str, since: bool, before: bool) -> None:
    assert (conditions.check(condition, FLOATS, Expr.V1_17) is None) is since
    assert (conditions.check(condition, FLOATS, Expr.V1_15_5) is None) is before


def test_only_newer_controllers_say_which_condition() -> None:
    result = ProviderResult([1.0], FLOATS, "[1]")
    newer, older = (conditions.evaluate(result, "result[2] > 1", "", one)[1] for one in (Expr.V1_17, Expr.V1_15_5))
    assert newer == 'could not evaluate successCondition "result[2] > 1": index out of range: 2 (array length is 1)'
    assert older == "reflect: slice index out of range"


def test_nested_loops_end() -> None:
    with pytest.raises(ExprError, match="looks at more elements"):
        conditions.holds(1.0, FLOAT, "let many = 1..9999; all(many, {all(many, {# > 0})})")


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
        "else",
        "`r`",
        "#index",
        "$env",
    ]
)
VALUES = st.sampled_from(
    [
        (1.5, FLOAT),
        ([1.0, math.nan], FLOATS),
        (None, "*float64"),
        ({"a": [1, "x"], "b": {"c": None}}, "any"),
        ([1.0, "x", [True]], "any"),
        ("s", "string"),
        (3, "int"),
        ([], FLOATS),
    ]
)
VERSIONS = st.sampled_from(list(Expr))
LEAVES = st.sampled_from(
    [
        "result",
        "1",
        "2.5",
        '"b"',
        "true",
        "nil",
        "[]",
        "[1, 2]",
        "{a: 1}",
        "result.a",
        "result[0]",
        "1..3",
        'duration("1m")',
    ]
)


def _grown(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["+", "-", "*", "/", "%", "**", "==", "<", ">=", "&&", "or", "in", "..", "??", "contains", "matches"]
    )
    calls = st.sampled_from(
        [
            "len",
            "max",
            "sum",
            "string",
            "toJSON",
            "first",
            "keys",
            "reverse",
            "int",
            "abs",
            "type",
            "isNaN",
            "asFloat",
            "sort",
        ]
    )
    walks = st.sampled_from(
        ["all", "any", "one", "filter", "map", "count", "find", "findIndex", "groupBy", "sortBy", "reduce", "sum"]
    )
    bodies = st.sampled_from(["#", "# > 1", "#.a", "true", "#index", "{let y = #; y == 1}"])
    return st.one_of(
        st.tuples(parts, operators, parts).map(" ".join).map("({})".format),
        st.tuples(calls, parts).map(lambda pair: f"{pair[0]}({pair[1]})"),
        st.tuples(walks, parts, bodies).map(lambda three: f"{three[0]}({three[1]}, {three[2]})"),
        st.tuples(parts, parts, parts).map(lambda three: "({} ? {} : {})".format(*three)),
        parts.map("({})?.a".format),
        parts.map("({})[0]".format),
    )


def _is_total(result: tuple[Any, str], condition: str, expr: Expr) -> None:
    value, go_type = result
    phase, message = conditions.evaluate(ProviderResult(value, go_type), condition + " ", "", expr)
    assert (phase is AnalysisPhase.ERROR) is bool(message)
    found = conditions.check(condition, go_type, expr)
    assert found is None or str(found)
    try:
        answer = conditions.holds(value, go_type, condition, expr)
    except ExprError:
        return
    assert isinstance(answer, bool)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.one_of(st.text(max_size=30), st.lists(WORDS, max_size=14).map(" ".join)), VERSIONS)
def test_any_text_holds_or_is_refused(result: tuple[Any, str], condition: str, expr: Expr) -> None:
    _is_total(result, condition, expr)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.recursive(LEAVES, _grown, max_leaves=6), VERSIONS)
def test_any_expression_holds_or_is_refused(result: tuple[Any, str], condition: str, expr: Expr) -> None:
    _is_total(result, condition, expr)


@pytest.mark.parametrize("chain", ["1+" * 5000 + "1 > 0", "result" + ".a" * 5000, "result" + "[0]" * 4000, "(" * 4000])
def test_an_endless_chain_is_an_error_and_no_crash(chain: str) -> None:
    reasons = conditions.TOO_DEEP, "compilation failed: expression exceeds maximum allowed nodes"
    assert str(conditions.check(chain, "any")) in reasons
    phase, message = conditions.evaluate(ProviderResult(1.0, "float64", "1"), chain, "")
    assert phase is AnalysisPhase.ERROR
    assert message.endswith(reasons)


def test_a_condition_that_is_refused_holds_on_to_nothing_that_met_it() -> None:
    def met() -> weakref.ref[Met]:
        held = Met()
        with pytest.raises(ExprError):
            conditions.holds(1.0, FLOAT, "result > missing_name", Expr.V1_17)
        return weakref.ref(held)

    assert met()() is None
    assert met()() is None


class Met:
    """Whatever is alive in the frame of whoever asks."""
