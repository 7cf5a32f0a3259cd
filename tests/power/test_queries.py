"""What gates are read as: shares of bad requests, quantiles, or neither, and then why."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import library
from scenarios.document import load
from scenarios.power.models import Rollout, rollout_of
from scenarios.power.readings import Quantile, Share
from sim.model.analysis import AnalysisPhase
from tests.power.rollouts import GOOD, RATIO, metric, rollout

FAST = 'sum(rate(http_request_duration_seconds_bucket{le="0.25"}[2m])) / sum(rate(http_request_duration_seconds_count[2m]))'
P99 = "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket[2m])) by (le))"


def _reading(folder: Path, query: str, **fields: object) -> Share | Quantile | None:
    return rollout(folder, metric(query, **fields)).gates[0].reading


def _reason(folder: Path, query: str) -> str:
    return rollout(folder, metric(query, successCondition="'result[0] < 1'")).gates[0].reason


def test_errors_over_all_and_good_over_all_come_to_the_same_limit(tmp_path: Path) -> None:
    errors = _reading(tmp_path, RATIO, successCondition="'result[0] < 0.005'")
    good = _reading(tmp_path, GOOD, successCondition="'result[0] >= 0.995'")
    assert isinstance(errors, Share)
    assert isinstance(good, Share)
    assert errors.verdicts.cuts == good.verdicts.cuts == (0.005,)
    assert errors.window_s == good.window_s == 60.0
    assert errors.statuses == good.statuses == {500, 502, 503, 504}
    assert errors.sides == {"canary"}
    # Exactly half a percent fails `<` and passes `>=`.
    assert errors.verdicts.at == (AnalysisPhase.FAILED,)
    assert good.verdicts.at == (AnalysisPhase.SUCCESSFUL,)
    assert errors.needs_bad
    assert not good.needs_bad


def test_a_band_between_two_conditions_is_inconclusive(tmp_path: Path) -> None:
    found = _reading(tmp_path, RATIO, successCondition="'result[0] < 0.01'", failureCondition="'result[0] >= 0.05'")
    assert isinstance(found, Share)
    assert found.verdicts.cuts == (0.01, 0.05)
    assert found.verdicts.between == (AnalysisPhase.SUCCESSFUL, AnalysisPhase.INCONCLUSIVE, AnalysisPhase.FAILED)
    # No errors yet: no series, an index out of range.
    assert found.verdicts.absent is AnalysisPhase.ERROR


def test_a_filled_numerator_needs_no_errors(tmp_path: Path) -> None:
    numerator, denominator = RATIO.split(" / ")
    found = _reading(tmp_path, f"({numerator} or vector(0)) / {denominator}", successCondition="'result[0] < 0.01'")
    assert isinstance(found, Share)
    assert not found.needs_bad


def test_a_bucket_over_the_count_is_a_share_of_slow_requests(tmp_path: Path) -> None:
    found = _reading(tmp_path, FAST, successCondition="'result[0] >= 0.99'")
    assert isinstance(found, Share)
    assert found.slower_than_s == 0.25
    assert found.verdicts.limit == pytest.approx(0.01)
    assert found.sides == {"canary", "stable"}


def test_a_quantile_keeps_its_level_and_limit(tmp_path: Path) -> None:
    found = _reading(tmp_path, P99, successCondition="'result[0] < 0.3'")
    assert isinstance(found, Quantile)
    assert found.level == 0.99
    assert found.verdicts.cuts == pytest.approx((0.3,))
    assert found.verdicts.not_a_number is AnalysisPhase.FAILED


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("sum(rate(http_requests_total[1m]))", "no share of requests"),
        (
            'sum(rate(http_requests_total{pod=~"shop-{{args.hash}}-.*"}[1m])) / sum(rate(http_requests_total[1m]))',
            "compares",
        ),
        (RATIO.replace("[1m]", "[5m]", 1), "different windows"),
        (RATIO.replace("rate", "irate"), "not made of rates"),
        ("avg(rate(http_requests_total[1m]))", "not made of sums"),
        (RATIO.replace("shop-{{args.hash}}", "nobody"), "finds no series"),
        (
            "sum(rate(http_request_duration_seconds_sum[1m])) / sum(rate(http_request_duration_seconds_count[1m]))",
            "mean latency",
        ),
        ("up", "not made of sums"),
    ],
)
def test_what_has_no_closed_form_says_why(tmp_path: Path, query: str, reason: str) -> None:
    assert reason in _reason(tmp_path, query)


def test_scripted_providers_are_named(tmp_path: Path) -> None:
    gate = "name: check\nsuccessCondition: result.ok\nprovider: {web: {url: http://shop/health}}"
    signals = "telemetry: {signals: [{template: gates, metric: check, answer: '{\"ok\": true}'}]}"
    found = rollout(tmp_path, gate, more=signals).gates[0]
    assert found.reading is None
    assert "scripted" in found.reason


def test_the_playbooks_gates_are_read_as_they_were_meant() -> None:
    repaired = rollout_of(load(library.playbook("canary", "repaired")).scenario)
    assert isinstance(repaired, Rollout)
    limits = {
        gate.metric.name: gate.reading.verdicts.limit for gate in repaired.gates if isinstance(gate.reading, Share)
    }
    assert limits == {"success-rate": pytest.approx(0.005), "error-budget-remaining": pytest.approx(0.0009)}
    assert [gate.metric.name for gate in repaired.gates if "each host" in gate.reason] == [
        "p99-latency",
        "p50-latency",
    ] * 3
