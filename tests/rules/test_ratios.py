"""Whatever way a ratio is written, the rules see the same limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import manifests
from scenarios.rules.context import Context
from scenarios.rules.ratios import RatioGate, ratio_gate
from scenarios.rules.uses import metric_uses
from tests.rules.specimens import Changes, written

METRIC = ("AnalysisTemplate", "spec", "metrics", 0)


def gate(tmp_path: Path, kind: str, query: str, success: str, failure: str = "") -> RatioGate | None:
    provider = {"query": query, "address": "http://p"} if kind == "prometheus" else {"query": query}
    changes: Changes = {
        (*METRIC, "provider"): {kind: provider},
        (*METRIC, "successCondition"): success,
        (*METRIC, "failureCondition"): failure,
    }
    (metric,) = metric_uses(Context(manifests.load([written(tmp_path, changes)])))
    return ratio_gate(metric)


ERRORS = 'sum(rate(r{code=~"5.."}[1m]))'
GOOD = 'sum(rate(r{code!~"5.."}[1m]))'
TOTAL = "sum(rate(r{}[1m]))"


@pytest.mark.parametrize(
    ("kind", "query", "success", "limit"),
    [
        pytest.param("prometheus", f"{ERRORS} / {TOTAL}", "result[0] < 0.005", 0.005, id="share of errors"),
        pytest.param("prometheus", f"{GOOD} / {TOTAL}", "result[0] >= 0.995", 0.005, id="share of successes"),
        pytest.param("prometheus", f"100 * {ERRORS} / {TOTAL}", "result[0] <= 0.5", 0.005, id="percent"),
        pytest.param("prometheus", f"1 - {ERRORS} / {TOTAL}", "result[0] >= 0.99", 0.01, id="one minus"),
        pytest.param("prometheus", f"({ERRORS} or vector(0)) / {TOTAL}", "result[0] < 0.02", 0.02, id="filled numerator"),
        pytest.param("prometheus", f"{ERRORS} / {TOTAL}", "len(result) > 0 && result[0] < 0.01", 0.01, id="with a guard"),
        pytest.param("datadog", "sum:r{a:b,status_class:2xx}.as_rate() / sum:r{a:b}.as_rate()", "result >= 0.995", 0.005, id="Datadog"),
        pytest.param("datadog", "sum:r{a:b,status_class:2xx}.as_rate() / sum:r{a:b}.as_rate()", "result[0] >= 0.995", 0.005,
                     id="as it was meant"),
        pytest.param("datadog", "1 - (sum:r{a:b,status_class:5xx}.as_count().rollup(sum, 86400)"
                     " / sum:r{a:b}.as_count().rollup(sum, 86400)) / 0.001", "result > 0.1", 0.0009, id="error budget"),
        pytest.param("datadog", "default_zero(sum:r{status_class:5xx}.as_count()) / moving_rollup(sum:r{*}.as_count(), 300, 'sum')",
                     "result < 0.01", 0.01, id="functions"),
    ],
)  # fmt: skip
def test_limit(tmp_path: Path, kind: str, query: str, success: str, limit: float) -> None:
    found = gate(tmp_path, kind, query, success)

    assert found is not None
    assert found.limit == pytest.approx(limit, rel=1e-6)


def test_failure_condition_alone(tmp_path: Path) -> None:
    found = gate(tmp_path, "prometheus", f"{ERRORS} / {TOTAL}", "", "result[0] > 0.03")

    assert found is not None
    assert found.limit == pytest.approx(0.03, rel=1e-6)


@pytest.mark.parametrize(
    ("query", "success"),
    [
        pytest.param(TOTAL, "result[0] > 3", id="traffic"),
        pytest.param(f"{ERRORS} / {TOTAL}", "result[0] >= 0", id="always true"),
        pytest.param(f"{ERRORS} / {TOTAL}", "result[0] > 0.5", id="wants errors"),
        pytest.param(f"max_over_time(({ERRORS} / {TOTAL})[5m:])", "result[0] < 1", id="subquery"),
        pytest.param("sum(", "result[0] < 1", id="broken"),
        pytest.param(f"__import__('os') / {ERRORS}", "result[0] < 1", id="not arithmetic"),
    ],
)
def test_other_gates_are_left_alone(tmp_path: Path, query: str, success: str) -> None:
    assert gate(tmp_path, "prometheus", query, success) is None


@pytest.mark.parametrize(
    ("matcher", "only_2xx", "client_errors"),
    [
        pytest.param('code=~"2.."', True, True, id="2xx"),
        pytest.param('code=~"[23].."', False, True, id="2xx and 3xx"),
        pytest.param('code!~"5.."', False, False, id="all but 5xx"),
        pytest.param('status_class="2xx"', True, True, id="class"),
    ],
)
def test_what_counts_as_good(tmp_path: Path, matcher: str, only_2xx: bool, client_errors: bool) -> None:
    found = gate(tmp_path, "prometheus", f"sum(rate(r{{{matcher}}}[1m])) / {TOTAL}", "result[0] > 0.9")

    assert found is not None
    assert (found.only_2xx, found.client_errors) == (only_2xx, client_errors)
