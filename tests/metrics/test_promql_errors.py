"""Where a query is wrong, and in which words."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics import SeriesStore, promql
from sim.metrics.promql import PromqlError
from sim.metrics.promql.lexer import tokens

TABLE = [
    ("sum(", "1:4: parse error: unclosed left parenthesis"),
    ("sum(\n rate(x[5m]\n) by (le", "3:6: parse error: unclosed left parenthesis"),
    ("x)", "1:2: parse error: unexpected right parenthesis"),
    ("sum(x]", "1:6: parse error:"),
    ('x{a="b}', "1:5: parse error: unterminated quoted string"),
    ('x{a~"5.*"}', "1:4: parse error: unexpected character inside braces: '~'"),
    ("rate(x[$__rate_interval])", "1:8: parse error: unexpected character inside brackets: '$'"),
    ('x{a="b" c="d"}', "1:9: parse error: unexpected 'c'"),
    ("x{a=}", "1:5: parse error: unexpected '}'"),
    ('x{a=~"("}', "1:6: parse error: illegal regex"),
    ("histogram_quantile(0.9 x)", "1:24: parse error: unexpected 'x'"),
    ("rate(x[5m]) rate(y[5m])", "1:13: parse error: unexpected 'rate'"),
    ("x + on (a) y z", "1:14: parse error: unexpected 'z'"),
    ("x == == y", "1:6: parse error: unexpected '=='"),
    ("* 3", "1:1: parse error: unexpected '*'"),
    ("x and", "1:6: parse error: unexpected end of input"),
    ("sum by le (x)", "1:8: parse error: unexpected 'le'"),
    ("1 + rate(x)", "1:5: parse error: expected type matrix in call to function 'rate', got vector"),
    ("# the errors\nnofunc(x)", "2:1: parse error: unknown function with name 'nofunc'"),
    ("rate(x) + rate(y)", "parse error: expected type matrix"),
    ("", "parse error: no expression found"),
    ('label_replace(x, "a", "\\xff", "b", "")', "escaped bytes that are no character are not modelled"),
    ("x offset 1e18", "1:10: parse error: duration out of range"),
    ("rate(x[1e15])", "1:8: parse error: duration out of range"),
    ("x offset -1e14", "1:10: parse error: duration out of range"),
    ("x @ 1e300", "1:5: parse error: timestamp out of bounds for @ modifier"),
    ("x @ Inf", "parse error: timestamp out of bounds for @ modifier"),
    ("max_over_time(rate(x[5m])[1w:1s])", "subqueries of more than 250000 steps in all are not modelled"),
    ("max_over_time(rate(x[1h:1s])[1h:1s])", "subqueries of more than 250000 steps"),
    ("rate(x[5m] anchored smoothed)", "1:21: parse error: anchored and smoothed modifiers cannot be used together"),
    ("histogram_avg(x)", "function histogram_avg is of native histograms, which are not modelled"),
]


@pytest.mark.parametrize(("query", "said"), [pytest.param(*row, id=row[0] or "nothing") for row in TABLE])
def test_errors_name_the_place_and_the_query(query: str, said: str) -> None:
    found = promql.check(query)
    assert found is not None
    assert found.startswith(said)
    assert " ".join(query.split()) in found


def test_errors_of_evaluation_name_the_query() -> None:
    store = SeriesStore()
    for pod in "ab":
        store.append({"__name__": "x", "pod": pod}, 0.0, 1.0)
    with pytest.raises(PromqlError, match=r"many-to-many matching not allowed.* in \"x \* on \(zone\) x\"") as caught:
        promql.query(store, "x * on (zone) x", 0.0)
    assert caught.value.reason.startswith("found duplicate series for the match group {} on the right hand-side")
    assert '{__name__="x", pod="a"}, {__name__="x", pod="b"}' in caught.value.reason


def test_a_long_query_is_named_by_its_beginning() -> None:
    found = promql.check("sum(" + "x + " * 1000)
    assert found is not None
    assert len(found) < 300


@given(st.text(max_size=60))
def test_tokens_are_the_text_in_order(text: str) -> None:
    found = tokens(text)
    assert all(text.startswith(one.text, one.at) for one in found)
    assert all(one.at + len(one.text) <= other.at for one, other in itertools.pairwise(found))
