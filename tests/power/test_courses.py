"""Chances of whole gates, against hand-made binomials and against Prometheus' own quantile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from scenarios.power.cases import Case
from scenarios.power.courses import Method, course
from scenarios.power.drawing import codes_of
from scenarios.power.eyes import DatadogEyes, PrometheusEyes, overlap, phases
from scenarios.power.limits import FAILED
from scenarios.power.models import GateModel, Rollout
from scenarios.power.quantiles import bucketed, quantile_chances, quantile_numbers
from scenarios.power.readings import Quantile
from scenarios.power.world import Truth
from sim.metrics.promql.histogram import quantiles
from sim.model.analysis import AnalysisPhase
from tests.power.rollouts import GOOD, RATIO, metric, rollout

P90 = (
    'histogram_quantile(0.9, sum(rate(http_request_duration_seconds_bucket{pod=~"shop-{{args.hash}}-.*"}[1m])) by (le))'
)


def test_four_scrapes_lie_in_a_minute_and_45_seconds_between_them() -> None:
    eyes = PrometheusEyes(15.0, 60.0, closed=False)
    assert {round(b - a, 6) for a, b in (eyes.span(1000.0, phase) for phase in phases())} == {45.0}
    fifty = PrometheusEyes(15.0, 50.0, closed=False)
    assert {round(b - a, 6) for a, b in (fifty.span(1000.0, phase) for phase in phases())} == {30.0, 45.0}


def test_datadogs_last_bucket_holds_one_flush_or_two() -> None:
    eyes = DatadogEyes(10.0, 30.0, 20.0, 300.0)
    spans = [eyes.span(1000.0, phase) for phase in phases()]
    assert {round(b - a, 6) for a, b in spans} == {10.0, 20.0}
    assert all(b <= 970.0 for _, b in spans)


def test_windows_longer_than_the_interval_overlap() -> None:
    assert overlap([(0.0, 45.0), (20.0, 65.0)])
    assert not overlap([(0.0, 45.0), (45.0, 90.0)])


def test_a_gate_whose_windows_lie_apart_is_a_binomial_of_binomials(tmp_path: Path) -> None:
    gate = metric(GOOD, successCondition="'result[0] >= 0.98'", interval="2m", count=3, failureLimit=1)
    found = course(*_only(rollout(tmp_path, gate, rate=60.0)), Truth(0.03))
    assert found is not None
    assert found.method is Method.EXACT
    assert found.requests == pytest.approx([270.0] * 3, rel=1e-6)
    n = np.arange(1, 600)
    fails = float((stats.poisson.pmf(n, 270.0) * stats.binom.sf(np.floor(n * 0.02 + 1e-9), n, 0.03)).sum())
    assert found.failing == pytest.approx([fails] * 3, abs=1e-7)
    assert found.ends.abort == pytest.approx(float(stats.binom.sf(1, 3, fails)), abs=1e-7)


def test_drawn_counts_agree_with_the_exact_chances_where_there_are_both(tmp_path: Path) -> None:
    gate = metric(GOOD, successCondition="'result[0] >= 0.98'", interval="2m", count=3, failureLimit=1)
    models = rollout(tmp_path, gate, rate=60.0)
    exact = course(*_only(models), Truth(0.03))
    assert exact is not None
    assert models.gates[0].reading is not None
    codes = codes_of(Case(models, models.gates[0], models.gates[0].reading, Truth(0.03)), 20_000)
    failing = (codes == FAILED).mean(axis=0)
    assert failing == pytest.approx(exact.failing, abs=4 * (0.25 / 20_000) ** 0.5)


def test_counters_that_errors_give_birth_to_hide_the_first_of_them(tmp_path: Path) -> None:
    gate = metric(RATIO, successCondition="'len(result) == 0 || result[0] < 0.02'", interval="20s", count=1)
    young = rollout(tmp_path, gate, rate=10.0, pause="45s")
    old = rollout(tmp_path, gate, rate=10.0, pause="20m")
    hidden, seen = (course(*_only(one), Truth(0.05)) for one in (young, old))
    assert hidden is not None
    assert seen is not None
    assert hidden.ends.abort < seen.ends.abort - 0.1


def test_overlapping_windows_are_counted_and_less_decisive_than_as_many_apart(tmp_path: Path) -> None:
    fields = {"successCondition": "'result[0] >= 0.98'", "count": 3, "failureLimit": 2}
    together = course(*_only(rollout(tmp_path, metric(GOOD, interval="20s", **fields), rate=60.0)), Truth(0.02))
    apart = course(*_only(rollout(tmp_path, metric(GOOD, interval="2m", **fields), rate=60.0)), Truth(0.02))
    assert together is not None
    assert apart is not None
    assert (together.method, apart.method) == (Method.COUNTED, Method.EXACT)
    # Windows that agree fail three times in a row more often.
    assert together.ends.abort > apart.ends.abort + 0.02


def test_an_inconclusive_band_pauses(tmp_path: Path) -> None:
    fields = {"successCondition": "'result[0] >= 0.99'", "failureCondition": "'result[0] < 0.9'", "count": 1}
    found = course(*_only(rollout(tmp_path, metric(GOOD, **fields), rate=60.0)), Truth(0.05))
    assert found is not None
    assert found.ends.abort < 0.01
    assert found.ends.pause > 0.95


def test_the_quantile_of_a_histogram_is_prometheus_own(tmp_path: Path) -> None:
    models = rollout(tmp_path, metric(P90, successCondition="'result[0] < 0.03'", count=1), rate=60.0)
    reading = models.gates[0].reading
    assert isinstance(reading, Quantile)
    generator = np.random.default_rng(1)
    draws = generator.lognormal(np.log(0.02), 0.4, size=(4000, 80))
    bounds = np.array([*reading.bounds_s, np.inf])
    counts = np.array([np.searchsorted(np.sort(row), bounds, side="right") for row in draws], dtype=float)
    truth = quantiles(0.9, bounds, counts)
    kinds = [
        ((draws > low) & (draws <= high)).sum(axis=1)[:, None] for low, high in ((0, 0.025), (0.025, 0.05), (0.05, 99))
    ]
    ours = quantile_numbers(reading, [kind.astype(float) for kind in kinds])[:, 0]
    assert np.array_equal(ours < 0.03, truth < 0.03)
    means = tuple(80.0 * share for share in bucketed(reading, lambda t: float(stats.lognorm.sf(t, 0.4, scale=0.02))))
    sizes = generator.poisson(np.array(means)[:, None], size=(3, 40_000)).astype(float)
    frequency = (quantile_numbers(reading, [size[:, None] for size in sizes]) >= 0.03).mean()
    assert quantile_chances(reading, means)[AnalysisPhase.FAILED] == pytest.approx(frequency, abs=0.012)


def test_a_busy_release_has_no_closed_form_for_latency(tmp_path: Path) -> None:
    models = rollout(tmp_path, metric(P90, successCondition="'result[0] < 0.03'", count=1), rate=60.0)
    assert course(models, models.gates[0], Truth(0.001, 2.0)) is not None
    busy = replace(models, flow=replace(models.flow, factor=100.0))
    assert course(busy, busy.gates[0], Truth(0.001, 2.0)) is None


def _only(models: Rollout) -> tuple[Rollout, GateModel]:
    (gate,) = models.gates
    return models, gate
