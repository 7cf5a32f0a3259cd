"""Conditions held against an answer all at once say what each says by itself."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics import conditions, results
from sim.metrics.conditions import ExprError
from sim.model.analysis import ProviderResult
from sim.model.controller import Expr
from sim.paths.holding import ABSENT, BROKEN, Conditions

NUMBERS = st.sampled_from(["0", "1", "0.05", "0.95", "1e-3", "3", "-1", "100"])
SHAPES = st.sampled_from(
    [
        "result < {a}", "result[0] < {a}", "result[0] >= {a} && result[0] <= {b}", "result[0] < {a} or result[1] > {b}",
        "len(result) > 0 && (isNaN(result[0]) || result[0] <= {a})", "len(result) == {a}", "!(result[0] == {a})",
        "result[0] <= result[1] * {a}", "result * {a} != {b}", "isInf(result) || result > {a}", "not isNaN(result[0])",
        "default(result, {a}) < {b}", "all(result, # < {a})", "result[-1] < {a}", "result[0] < {a} / {b}", "{a} > result[0]",
        "result == nil || result < {a}", "isNil(result)", "result[0] + {a} > {b} - result[0]", "{a} < {b}", "result <", "true",
        "asFloat(result) < {a}", "result < 9007199254740993", "",
    ]
)  # fmt: skip
VALUES = st.sampled_from([0.0, 0.05, 0.95, 1.0, 3.0, nan, inf, -1.0])
RESULTS = st.one_of(
    VALUES.map(results.scalar), st.lists(VALUES, max_size=3).map(results.vector), st.just(results.no_data())
)


def alone(text: str, result: ProviderResult, expr: Expr) -> int:
    if not text:
        return ABSENT
    try:
        return int(conditions.holds(result.value, result.go_type, text, expr))
    except ExprError:
        return BROKEN


@given(
    texts=st.lists(
        st.tuples(SHAPES, NUMBERS, NUMBERS).map(lambda one: one[0].format(a=one[1], b=one[2])), min_size=1, max_size=8
    ),
    answers=st.lists(RESULTS, min_size=1, max_size=4),
    expr=st.sampled_from(Expr),
)
def test_each_condition_says_what_it_says_alone(texts: list[str], answers: list[ProviderResult], expr: Expr) -> None:
    held = Conditions(texts, expr)
    for result in answers:
        assert held.marks(result).tolist() == [alone(text, result, expr) for text in texts]


@pytest.mark.parametrize("texts", [["result[0] < 0.1", "result[0] < 0.2"], ["len(result) > 0 && result[0] <= 1.2"]])
def test_comparisons_with_numbers_are_not_evaluated_one_by_one(
    texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Conditions(texts, Expr.V1_17)
    held.marks(results.vector([0.05]))
    monkeypatch.setattr(conditions, "holds", None)
    assert held.marks(results.vector([0.15])).tolist() == [int("0.2" in text or "1.2" in text) for text in texts]
