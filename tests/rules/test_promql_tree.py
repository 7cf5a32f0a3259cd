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
