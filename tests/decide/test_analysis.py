from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decide.analysis import Task, due, expired, next_time_s, record, wake_s
from sim.decide.assessment import assess, effective_count, is_terminating, limit_exceeded, metric_phase, worst
from sim.decide.metric_rules import dry_run_names, duration_error, kept_measurements, metric_error, metrics_error
from sim.model.analysis import (
    AnalysisPhase,
    AnalysisRunSpec,
    AnalysisRunStatus,
    Argument,
    Measurement,
    Metric,
    MetricResult,
    OtherProvider,
    PrometheusProvider,
    SecretRef,
)

GOOD, BAD, ERROR, UNCLEAR = (
    AnalysisPhase.SUCCESSFUL,
    AnalysisPhase.FAILED,
    AnalysisPhase.ERROR,
    AnalysisPhase.INCONCLUSIVE,
)
PROMETHEUS = (PrometheusProvider("up"),)
OUTCOMES = st.sampled_from([GOOD, BAD, ERROR, UNCLEAR])


def metric(name: str = "m", interval: str | None = "60s", **more: int | str | None) -> Metric:
    return Metric(name, PROMETHEUS, interval=interval, **more)  # type: ignore[arg-type]


def follow(
    run: AnalysisRunSpec, answer: Callable[[str, int], AnalysisPhase], last_s: float = 3600.0
) -> tuple[AnalysisRunStatus, list[tuple[float, str]]]:
    """The run driven as the engine drives it; the log holds (instant, metric) of each measurement."""
    status, now_s, log, taken = AnalysisRunStatus(), 0.0, list[tuple[float, str]](), dict[str, int]()
    while True:
        measurements = {}
        for task in due(run, status, now_s):
            name = task.metric.name
            measurements[name] = Measurement(answer(name, taken.get(name, 0)), started_s=now_s, finished_s=now_s)
            taken[name] = taken.get(name, 0) + 1
            log.append((now_s, name))
        before = status
        status = record(run, status, measurements, now_s)
        later_s = next_time_s(run, status, now_s, changed=status != before)
        if later_s is None or later_s > last_s:
            return status, log
        now_s = later_s


@pytest.mark.parametrize(
    ("count", "interval", "expected"),
    [
        pytest.param(None, None, 1, id="single-shot"),
        pytest.param(0, None, 1, id="zero-is-no-count"),
        pytest.param(None, "1m", None, id="interval-only-never-ends"),
        pytest.param(0, "1m", None, id="zero-with-interval-never-ends"),
        pytest.param(7, "1m", 7, id="as-written"),
    ],
)
def test_effective_count(count: int | None, interval: str | None, expected: int | None) -> None:
    assert effective_count(metric(interval=interval, count=count)) == expected


@pytest.mark.parametrize(
    ("written", "result", "phase"),
    [
        pytest.param({"failure_limit": 1}, {"failed": 1}, None, id="at-the-limit-is-tolerated"),
        pytest.param({"failure_limit": 1}, {"failed": 2}, BAD, id="above-the-limit-fails"),
        pytest.param({"failure_limit": -1}, {"failed": 99}, None, id="negative-limit-is-off"),
        pytest.param({}, {"consecutive_error": 4}, None, id="four-errors-are-tolerated"),
        pytest.param({}, {"consecutive_error": 5}, ERROR, id="the-fifth-is-not"),
        pytest.param({}, {"failed": 1, "inconclusive": 1}, UNCLEAR, id="inconclusive-hides-failed"),
        pytest.param({}, {"failed": 1, "consecutive_error": 5}, ERROR, id="error-hides-failed"),
    ],
)
def test_limits(written: dict[str, int], result: dict[str, int], phase: AnalysisPhase | None) -> None:
    assert limit_exceeded(metric(**written), MetricResult("m", **result))[0] is phase  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("phase", "terminating", "expected"),
    [
        pytest.param(BAD, True, BAD, id="a-verdict-sticks"),
        pytest.param(AnalysisPhase.RUNNING, False, AnalysisPhase.PENDING, id="nothing-measured"),
        pytest.param(AnalysisPhase.RUNNING, True, GOOD, id="nothing-measured-and-told-to-stop"),
    ],
)
def test_phase_without_measurements(phase: AnalysisPhase, terminating: bool, expected: AnalysisPhase) -> None:
    assert metric_phase(metric(), MetricResult("m", phase), terminating=terminating) is expected


def test_both_limits_unreached_is_inconclusive() -> None:
    result = MetricResult("m", AnalysisPhase.RUNNING, (Measurement(GOOD),), count=5, consecutive_success=2)
    assert metric_phase(metric(count=5, consecutive_success_limit=3), result, terminating=False) is UNCLEAR


def test_five_errors_ten_seconds_apart_end_the_run() -> None:
    status, log = follow(AnalysisRunSpec("r", (metric(),)), lambda _n, _i: ERROR)
    assert [int(t) for t, _ in log] == [0, 10, 20, 30, 40]
    assert status.phase is ERROR
    assert status.message == 'Metric "m" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4)'
    assert status.completed_s == 40


def test_measurements_do_not_drift() -> None:
    _, log = follow(AnalysisRunSpec("r", (metric(count=30),)), lambda _n, _i: GOOD)
    assert [int(t) for t, _ in log] == [60 * i for i in range(30)]
    assert all(t - int(t) < 0.01 for t, _ in log)


def test_history_is_trimmed_but_counters_keep_the_totals() -> None:
    run = AnalysisRunSpec("r", (metric(interval="1s", count=15),), retention=(("m", 3),))
    status, _ = follow(run, lambda _n, _i: GOOD)
    assert len(status.metric_results[0].measurements) == 3
    assert status.metric_results[0].count == 15


def test_a_failed_metric_stops_its_sibling() -> None:
    run = AnalysisRunSpec("r", (metric("a", interval="10s", count=30), metric("b", interval="15s", count=4)))
    status, log = follow(run, lambda name, index: BAD if (name, index) == ("b", 1) else GOOD)
    assert [(int(t), name) for t, name in log] == [(0, "a"), (0, "b"), (10, "a"), (15, "b")]
    assert status.phase is BAD
    assert [r.phase for r in status.metric_results] == [GOOD, BAD]


def test_a_dry_run_decides_nothing() -> None:
    run = AnalysisRunSpec("r", (metric("a", count=2), metric("b", count=2)), dry_run=("^b$",))
    status, _ = follow(run, lambda name, _i: BAD if name == "b" else GOOD)
    assert status.phase is GOOD
    assert dict(status.dry_run_summary) == {"count": 1, "successful": 0, "failed": 1, "inconclusive": 0, "error": 0}
    assert status.metric_results[1].message == "Metric assessed Failed due to failed (1) > failureLimit (0)"


def test_a_rule_without_a_metric_ends_the_run_without_completion_time() -> None:
    run = AnalysisRunSpec("r", (metric(),), dry_run=("*",))
    status = record(run, AnalysisRunStatus(), {}, 0.0)
    assert status.message == "Analysis spec invalid: dryRun[0]: Rule didn't match any metric name(s)"
    assert status.completed_s is None
    assert not expired(AnalysisRunSpec("r", ttl_s=(0, 0, 0)), status, 1e9)


def test_initial_delay_counts_from_the_first_pass() -> None:
    run = AnalysisRunSpec("r", (metric(initial_delay="30s", count=2),))
    assert due(run, AnalysisRunStatus(), 5.0) == ()
    _, log = follow(run, lambda _n, _i: GOOD)
    assert [int(t) for t, _ in log] == [30, 90]


def test_interval_is_strictly_over() -> None:
    run = AnalysisRunSpec("r", (metric(),))
    status = record(run, AnalysisRunStatus(), {"m": Measurement(GOOD, 0.0, 0.0)}, 0.0)
    assert due(run, status, 60.0) == ()
    assert due(run, status, 60.001) == (Task(run.metrics[0]),)
    assert wake_s(run, status, 0.0) == 60.0


@pytest.mark.parametrize(
    "broken", [pytest.param({"interval": "60"}, id="interval"), pytest.param({"initial_delay": "1d"}, id="delay")]
)
def test_a_duration_that_cannot_be_read_schedules_nothing(broken: dict[str, str]) -> None:
    run = AnalysisRunSpec("r", (metric(**broken),))
    status = AnalysisRunStatus(AnalysisPhase.RUNNING, started_s=0.0)
    if "interval" in broken:
        status = record(run, status, {"m": Measurement(GOOD, 0.0, 0.0)}, 0.0)
    assert due(run, status, 1e6) == ()
    assert wake_s(run, status, 0.0) is None


def test_in_flight_is_resumed_then_replaced() -> None:
    run = AnalysisRunSpec("r", (metric(interval=None),))
    in_flight = Measurement(AnalysisPhase.RUNNING, 0.0, resume_at_s=5.0)
    status = record(run, AnalysisRunStatus(), {"m": in_flight}, 0.0)
    assert due(run, status, 4.0) == ()
    assert due(run, status, 5.0) == (Task(run.metrics[0], resume=True),)
    status = record(run, status, {"m": Measurement(GOOD, 0.0)}, 5.0)
    assert status.phase is GOOD
    assert [m.finished_s for m in status.metric_results[0].measurements] == [5.0]


def test_terminating_stops_what_is_in_flight() -> None:
    run = AnalysisRunSpec("r", (metric(interval=None),))
    status = record(run, AnalysisRunStatus(), {"m": Measurement(AnalysisPhase.RUNNING, 0.0, resume_at_s=50.0)}, 0.0)
    stopped = AnalysisRunSpec("r", run.metrics, terminate=True)
    assert due(stopped, status, 4.0) == (Task(run.metrics[0], resume=True, terminate=True),)
    assert next_time_s(stopped, status, 4.0, changed=False) == pytest.approx(4.0, abs=0.01)


def test_a_cancelled_run_is_successful() -> None:
    run = AnalysisRunSpec("r", (metric(),), terminate=True)
    status = record(run, AnalysisRunStatus(), {}, 3.0)
    assert (status.phase, status.message) == (GOOD, "Run Terminated")


def test_secrets_do_not_show_in_messages() -> None:
    token = Argument("token", "hunter2", SecretRef("s", "k"))
    run = AnalysisRunSpec("r", (metric(),), args=(token,))
    status = record(run, AnalysisRunStatus(), {"m": Measurement(ERROR, 0.0, message="401 for hunter2")}, 0.0)
    assert status.metric_results[0].measurements[0].message == "401 for *****"


def test_a_completed_run_does_not_change() -> None:
    run = AnalysisRunSpec("r", (metric(count=1),))
    status, _ = follow(run, lambda _n, _i: GOOD)
    assert record(run, status, {"m": Measurement(BAD, 9.0)}, 9.0) == status
    assert due(run, status, 1e6) == ()
    assert next_time_s(run, status, 1e6, changed=False) is None


@pytest.mark.parametrize(
    ("phase", "age_s", "ttl", "gone"),
    [
        pytest.param(GOOD, 10, (10, None, None), False, id="exactly-at-the-limit"),
        pytest.param(GOOD, 11, (10, None, None), True, id="a-second-later"),
        pytest.param(GOOD, 10.9, (10, None, None), False, id="whole-seconds-count"),
        pytest.param(GOOD, 11, (10, 20, None), False, id="success-goes-before-completion"),
        pytest.param(BAD, 11, (None, 10, None), False, id="success-limit-is-not-for-failed"),
        pytest.param(ERROR, 11, (None, None, 10), False, id="failure-limit-is-not-for-error"),
        pytest.param(BAD, 11, (99, None, 10), True, id="failure-goes-before-completion"),
    ],
)
def test_ttl(phase: AnalysisPhase, age_s: float, ttl: tuple[int | None, int | None, int | None], gone: bool) -> None:
    status = AnalysisRunStatus(phase, completed_s=100.0)
    assert expired(AnalysisRunSpec("r", ttl_s=ttl), status, 100.0 + age_s) is gone


@pytest.mark.parametrize(
    ("written", "error"),
    [
        pytest.param({"consecutive_success_limit": -1}, "consecutiveSuccessLimit must be >= 0", id="streak"),
        pytest.param({"inconclusive_limit": -1}, "inconclusiveLimit must be >= 0", id="inconclusive"),
        pytest.param({"consecutive_error_limit": -1}, "consecutiveErrorLimit must be >= 0", id="errors"),
        pytest.param({"count": 2, "interval": None}, "interval must be specified when count > 1", id="no-interval"),
        pytest.param(
            {"count": 2, "failure_limit": 3},
            "count (2) must be >= failureLimit + consecutiveSuccessLimit (3 + 0) if both >= 0",
            id="count-below-limits",
        ),
        pytest.param(
            {"initial_delay": "5x"},
            'invalid startDelay string: time: unknown unit "x" in duration "5x"',
            id="unknown-unit",
        ),
        pytest.param({}, "", id="valid"),
    ],
)
def test_metric_errors(written: dict[str, int | str | None], error: str) -> None:
    assert metric_error(metric(**written)) == error  # type: ignore[arg-type]


def test_provider_errors() -> None:
    assert metrics_error([Metric("m")]) == "metrics[0]: no provider specified"
    two = Metric("m", (*PROMETHEUS, OtherProvider("web")))
    assert metrics_error([two]) == "metrics[0]: multiple providers specified"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("1h30m", "", id="fine"),
        pytest.param("60", 'time: missing unit in duration "60"', id="no-unit"),
        pytest.param("7d", 'time: unknown unit "d" in duration "7d"', id="days"),
        pytest.param("1m30", 'time: missing unit in duration "1m30"', id="second-unit-missing"),
        pytest.param("abc", 'time: invalid duration "abc"', id="no-number"),
    ],
)
def test_durations(text: str, error: str) -> None:
    assert duration_error(text) == error


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param("*", id="nothing-to-repeat"),
        pytest.param("(?=rate)", id="look-ahead"),
        pytest.param("(?<!x)rate", id="look-behind"),
        pytest.param(r"(r)at\1?e", id="back-reference"),
    ],
)
def test_what_go_does_not_compile_matches_nothing(rule: str) -> None:
    with pytest.raises(ValueError, match="Rule didn't match"):
        dry_run_names([rule], ["rate"])


def test_rules_are_unanchored() -> None:
    assert dry_run_names(["rate"], ["success-rate", "latency"]) == {"success-rate"}
    assert dry_run_names([r"(?i)RATE", r"(?:lat)ency"], ["success-rate", "latency"]) == {"success-rate", "latency"}
    assert kept_measurements([("lat", 3), (".*", 0)], ["latency", "rate"]) == {"latency": 10, "rate": 10}


@settings(deadline=None)
@given(st.lists(OUTCOMES, min_size=1, max_size=25), st.integers(0, 3), st.integers(4, 12))
def test_counters_add_up_and_verdicts_are_final(answers: list[AnalysisPhase], limit: int, count: int) -> None:
    run = AnalysisRunSpec("r", (metric(count=count, failure_limit=limit, inconclusive_limit=1),))
    status, log = follow(run, lambda _n, index: answers[index % len(answers)])
    result = status.metric_results[0]
    assert result.count == result.successful + result.failed + result.inconclusive
    assert result.count + result.error == len(log)
    assert result.count <= count
    if status.phase is GOOD:
        assert result.failed <= limit
    assert status.phase.is_completed


@settings(deadline=None)
@given(st.lists(st.sampled_from(list(AnalysisPhase)), min_size=2, max_size=6))
def test_worst_is_a_maximum(phases: list[AnalysisPhase]) -> None:
    result = phases[0]
    for phase in phases[1:]:
        result = worst(result, phase)
    assert result in phases
    assert not any(phase.worse_than(result) for phase in phases)


@settings(deadline=None)
@given(st.lists(st.tuples(OUTCOMES, st.booleans()), min_size=1, max_size=5))
def test_a_run_is_as_bad_as_its_worst_metric_that_counts(found: list[tuple[AnalysisPhase, bool]]) -> None:
    metrics = [metric(f"m{i}") for i in range(len(found))]
    results = tuple(MetricResult(m.name, phase, dry_run=dry) for m, (phase, dry) in zip(metrics, found, strict=True))
    status = AnalysisRunStatus(AnalysisPhase.RUNNING, metric_results=results)
    dry_run = frozenset(r.name for r in results if r.dry_run)
    counting = [phase for phase, dry in found if not dry] or [GOOD]
    assessed = assess(metrics, status, dry_run, terminate=False)
    assert assessed.phase in counting
    assert not any(phase.worse_than(assessed.phase) for phase in counting)
    assert is_terminating(assessed, terminate=False) is any(phase is not GOOD for phase in counting)


def test_a_measurement_in_flight_without_an_instant_is_looked_at_with_every_write() -> None:
    run = AnalysisRunSpec("r", (metric(interval="1m"),))
    flying = {"m": Measurement(AnalysisPhase.RUNNING, started_s=0.0)}
    first = record(run, AnalysisRunStatus(), flying, 0.0)
    assert next_time_s(run, first, 0.0, changed=True) == pytest.approx(0.0, abs=0.01)
    assert due(run, first, 0.001)[0].resume
    again = record(run, first, flying, 0.001)
    assert again == first
    assert next_time_s(run, again, 0.001, changed=False) is None
