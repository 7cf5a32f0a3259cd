from __future__ import annotations

import pytest

from scenarios.rules import promql_tree
from scenarios.rules.promql_tree import Elements


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("sum(rate(x[5m]))", Elements.ONE, id="aggregated"),
        pytest.param("sum by (pod) (rate(x[5m]))", Elements.MANY, id="by"),
        pytest.param("sum without (pod) (rate(x[5m]))", Elements.MANY, id="without"),
        pytest.param("rate(x[5m])", Elements.MANY, id="one a series"),
        pytest.param("topk(1, x)", Elements.MANY, id="topk"),
        pytest.param("sum(a) / sum(b)", Elements.ONE, id="ratio"),
        pytest.param("rate(a[1m]) * 100", Elements.MANY, id="scaled"),
        pytest.param("sum(a) or vector(0)", Elements.ONE, id="filled"),
        pytest.param("a or b", Elements.MANY, id="union"),
        pytest.param("histogram_quantile(0.9, sum by (le) (rate(b[5m])))", Elements.ONE, id="quantile of sums"),
        pytest.param("histogram_quantile(0.9, sum by (le, pod) (rate(b[5m])))", Elements.MANY, id="quantile a pod"),
        pytest.param("histogram_quantile(0.9, rate(b[5m]))", Elements.MANY, id="quantile a series"),
        pytest.param("scalar(x)", Elements.ONE, id="scalar"),
        pytest.param("abs(-sum(x))", Elements.ONE, id="function of one"),
        pytest.param("1 + 1", Elements.ONE, id="number"),
    ],
)
def test_how_many_elements(query: str, expected: Elements) -> None:
    assert promql_tree.elements(promql_tree.parse(query)) is expected


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param("up", ("up",), id="bare"),
        pytest.param("sum(rate(a[5m])) / on () sum(rate(b{c='d'}[5m])) or vector(0)", ("a", "b"), id="ratio"),
        pytest.param("max_over_time(sum(rate(a[1m]))[5m:1m]) + a", ("a",), id="subquery, twice"),
        pytest.param("topk(2, {__name__='a',b='c'})", ("a",), id="named by a matcher"),
        pytest.param("{__name__=~'a.*'}", (), id="by a pattern"),
        pytest.param("label_replace(a, 'b', 'c[1]', 'd', 'e{}')", ("a",), id="not in texts"),
        pytest.param("1 + time()", (), id="none"),
        pytest.param("sum(", (), id="no query"),
    ],
)
def test_which_metrics(query: str, names: tuple[str, ...]) -> None:
    assert promql_tree.metrics(query) == names


@pytest.mark.parametrize(
    ("query", "constant"),
    [
        pytest.param("sum(x) or vector(0)", 0.0, id="whole"),
        pytest.param("((sum(x)) or (vector(1)))", 1.0, id="in parentheses"),
        pytest.param("(sum(x) or vector(0)) / sum(y)", None, id="numerator only"),
        pytest.param("sum(x) or sum(y)", None, id="another series"),
    ],
)
def test_fill(query: str, constant: float | None) -> None:
    assert promql_tree.fill(promql_tree.parse(query)) == constant
