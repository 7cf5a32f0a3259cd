"""Numbers of measurements and their times, against the analysis controller's own passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decide import analysis
from sim.decide.assessment import effective_count, tolerated
from sim.decide.metric_rules import metric_error
from sim.model.analysis import (
    AnalysisPhase,
    AnalysisRunSpec,
    AnalysisRunStatus,
    Measurement,
    Metric,
    OtherProvider,
    PrometheusProvider,
)
from sim.timetable import measuring
from sim.timetable.measuring import Reach

QUERY_S, PASS_S = 0.3, 0.005
GOOD, BAD, UNCLEAR, ERROR = (
    AnalysisPhase.SUCCESSFUL,
    AnalysisPhase.FAILED,
    AnalysisPhase.INCONCLUSIVE,
    AnalysisPhase.ERROR,
)


def metric(**fields: Any) -> Metric:
    base = Metric("m", (PrometheusProvider("up"),), success_condition="result[0] > 0")
    return replace(base, **fields)


@st.composite
def metrics(draw: st.DrawFn) -> Metric:
    limit = st.sampled_from([None, 0, 1, 2])
    made = metric(
        interval=draw(st.sampled_from([None, "1s", "1500ms", "20s", "1m", "300ms"])),
        initial_delay=draw(st.sampled_from([None, "10s", "500ms"])),
        count=draw(st.sampled_from([None, 1, 2, 3, 5])),
        failure_limit=draw(st.sampled_from([None, -1, 0, 1, 3])),
        inconclusive_limit=draw(limit),
        consecutive_error_limit=draw(limit),
        consecutive_success_limit=draw(st.sampled_from([None, 1, 2, 3])),
    )
    return made if not metric_error(made) else metric(interval="20s", count=2)


Choose = Callable[[int, int], AnalysisPhase]
"""From (counted so far, errors in a row) to the next measurement's phase."""


def play(one: Metric, start_s: float, choose: Choose) -> tuple[float, AnalysisPhase]:
    """Seconds from the run's creation to its verdict, measured by the controller's own functions."""
    run, status = AnalysisRunSpec("run", (one,)), AnalysisRunStatus()
    now_s = start_s + PASS_S
    for _ in range(10_000):
        taken: dict[str, Measurement] = {}
        for task in analysis.due(run, status, now_s):
            result = status.metric_results[0] if status.metric_results else None
            phase = choose(result.count if result else 0, result.consecutive_error if result else 0)
            now_s += QUERY_S
            taken[task.metric.name] = Measurement(phase, finished_s=now_s)
        status = analysis.record(run, status, taken, now_s)
        if status.phase.is_completed:
            return now_s - start_s, status.phase
        next_s = analysis.next_time_s(run, status, now_s, changed=False)
        assert next_s is not None
        now_s = next_s
    pytest.fail("the run never ends")


def always(phase: AnalysisPhase) -> Choose:
    return lambda _counted, _errors: phase


def after_errors(one: Metric, phase: AnalysisPhase) -> Choose:
    most = tolerated(one).errors
    return lambda _counted, errors: ERROR if errors < most else phase


def bounds(one: Metric, reach: Reach) -> tuple[float, float]:
    latest_s = measuring.latest_s(one, reach, QUERY_S, PASS_S)
    assert latest_s is not None
    return measuring.earliest_s(one, reach), latest_s


@settings(max_examples=300, deadline=None)
@given(metrics(), st.floats(0, 100))
def test_every_verdict_comes_within_its_bounds(one: Metric, start_s: float) -> None:
    cases = (
        (measuring.shortest_pass(one), always(GOOD), GOOD),
        (measuring.failure(one), always(BAD), BAD),
        (measuring.erring(one), always(ERROR), ERROR),
    )
    for reach, choose, verdict in cases:
        if reach is None:
            continue
        took_s, phase = play(one, start_s, choose)
        earliest_s, latest_s = bounds(one, reach)
        assert phase is verdict
        assert earliest_s - 1e-6 <= took_s <= latest_s + 1e-6


@settings(max_examples=200, deadline=None)
@given(metrics(), st.floats(0, 100))
def test_tolerated_errors_delay_a_failure_up_to_its_bound(one: Metric, start_s: float) -> None:
    reach = measuring.failure(one)
    if reach is None:
        return
    took_s, phase = play(one, start_s, after_errors(one, BAD))
    latest_s = bounds(one, measuring.with_errors(one, reach))[1]
    assert phase is BAD
    assert latest_s - 3.0 - 0.4 * (reach.counted + 3) <= took_s <= latest_s + 1e-6


def most_measurements(one: Metric, most: int) -> tuple[int, int] | None:
    """(counted, errors) of the longest way to a success, by trying every way; None if there is one beyond ``most``."""
    limits, count = tolerated(one), effective_count(one)
    streak = one.consecutive_success_limit or 0

    @cache
    def longest(counted: int, bad: int, unclear: int, errors: int, good: int) -> tuple[int, int] | None:
        if counted > most or (limits.failures is not None and bad > limits.failures) or unclear > limits.inconclusive:
            return None
        if 0 < streak <= good or (count is not None and counted >= count and not streak):
            return 0, 0
        if count is not None and counted >= count:
            return None
        steps = [
            (longest(counted + 1, bad, unclear, 0, good + 1), 1, 0),
            (longest(counted + 1, bad + 1, unclear, 0, 0), 1, 0),
        ]
        steps.append((longest(counted + 1, bad, unclear + 1, 0, 0), 1, 0))
        if errors < limits.errors:
            steps.append((longest(counted, bad, unclear, errors + 1, 0), 0, 1))
        found = [(way[0] + more, way[1] + wrong) for way, more, wrong in steps if way is not None]
        return max(found, default=None, key=lambda way: (way[0] + way[1], way[0]))

    return longest(0, 0, 0, 0, 0)


@settings(max_examples=300, deadline=None)
@given(metrics())
def test_no_success_takes_more_measurements(one: Metric) -> None:
    reach = measuring.longest_pass(one)
    if reach is None:
        count = effective_count(one)
        assert count is None or count < (one.consecutive_success_limit or 0)
        return
    assert most_measurements(one, most=40) == (reach.counted, reach.errors)


@pytest.mark.parametrize(
    ("one", "passes", "failure"),
    [
        pytest.param(metric(), Reach(1), Reach(1), id="once"),
        pytest.param(metric(interval="1m", count=5), Reach(5), Reach(1), id="strict"),
        pytest.param(metric(interval="1m", count=5, failure_limit=2), Reach(5), Reach(3), id="two-tolerated"),
        pytest.param(metric(interval="1m", count=5, failure_limit=5), Reach(5), None, id="all-may-fail"),
        pytest.param(metric(interval="1m"), None, Reach(1), id="without-end"),
        pytest.param(metric(interval="1m", count=5, success_condition=""), Reach(5), None, id="no-condition"),
        pytest.param(
            metric(interval="1m", count=6, failure_limit=-1, consecutive_success_limit=3),
            Reach(3),
            Reach(6),
            id="streak",
        ),
        pytest.param(
            metric(interval="1m", failure_limit=-1, consecutive_success_limit=3), Reach(3), None, id="endless-streak"
        ),
    ],
)
def test_measurements_to_a_verdict(one: Metric, passes: Reach | None, failure: Reach | None) -> None:
    assert measuring.shortest_pass(one) == passes
    assert measuring.failure(one) == failure


@pytest.mark.parametrize(
    ("one", "reach", "earliest_s", "latest_s"),
    [
        pytest.param(metric(interval="1m", count=5), Reach(5), 239.0, 240.606, id="five-times-every-minute"),
        pytest.param(metric(initial_delay="30s"), Reach(1), 29.0, 30.606, id="delayed"),
        pytest.param(metric(), Reach(0, 5), 39.0, 40.606, id="five-errors-in-a-row"),
    ],
)
def test_times_of_a_verdict(one: Metric, reach: Reach, earliest_s: float, latest_s: float) -> None:
    assert bounds(one, reach) == pytest.approx((earliest_s, latest_s))


def test_nobody_knows_how_long_a_job_takes() -> None:
    job = metric(providers=(OtherProvider("job"),), success_condition="")
    assert measuring.failure(job) == Reach(1)
    assert measuring.latest_s(job, Reach(1), None, PASS_S) is None


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(metric(interval="1m"), False, id="one-condition"),
        pytest.param(metric(interval="1m", failure_condition="result[0] < 0"), True, id="between-two"),
        pytest.param(
            metric(interval="1m", count=2, failure_condition="result[0] < 0", inconclusive_limit=2),
            False,
            id="all-tolerated",
        ),
        pytest.param(metric(interval="1m", count=4, consecutive_success_limit=2), True, id="out-of-streak"),
        pytest.param(metric(providers=(OtherProvider("kayenta"),)), True, id="kayenta"),
    ],
)
def test_what_may_be_inconclusive(one: Metric, expected: bool) -> None:
    assert measuring.may_be_inconclusive(one) is expected
