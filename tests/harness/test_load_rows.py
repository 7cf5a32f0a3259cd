"""Attempts become the rows that the twin would have written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.load.achieved import achieved, expected
from harness.load.attempts import COLUMNS, OVERFLOW, Attempt, attempts_of, line_of
from harness.load.plan import LoadPlan
from harness.load.rows import Watch, Windows, error_ratio
from sim.model.load import Client, LoadShape, RequestClass, Stage

APPLIED = 1_000_000.0
WINDOWS = Windows(APPLIED, warm_up_s=20.0, interval_s=10.0, buckets_s=(0.01, 0.1))


def attempt(end_s: float, **changes: object) -> Attempt:
    """An answer of the stable version after 50 ms; ``end_s`` counts from the release being applied."""
    end = APPLIED + end_s
    plain = Attempt(end - 0.051, end - 0.05, end, 0, 0, 200, False, False, "stable", "shop-1", None, "")
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "one",
    [
        attempt(1.25),
        attempt(1.25, status=0, side="", pod="", error="ConnectionRefusedError"),
        attempt(1.25, status=504, timed_out=True, again=True, side="candidate", took_s=0.25),
    ],
    ids=["answer", "refused", "timed-out"],
)
def test_an_attempt_survives_its_file(one: Attempt) -> None:
    assert attempts_of([COLUMNS, line_of(one).rstrip("\n")]) == [one]


def test_what_a_server_says_cannot_break_a_line() -> None:
    assert line_of(attempt(1.0, pod="a,b\nc")).count("\n") == 1
    assert attempts_of([line_of(attempt(1.0, pod="a,b\nc")).rstrip("\n")])[0].pod == "a b c"


def test_windows_begin_with_the_warm_up_and_end_with_the_run() -> None:
    rows = WINDOWS.rows([attempt(t) for t in (-21.0, -15.0, -0.001, 0.0, 9.999, 10.0, 12.0, 13.0)], 13.0)
    assert [(row.t_s, row.width_s, row.client_requests) for row in rows] == [
        (-10.0, 10.0, 1),
        (0.0, 10.0, 1),
        (10.0, 10.0, 2),
        (13.0, 3.0, 2),
    ]


def test_each_side_has_a_row_of_its_own() -> None:
    rows = WINDOWS.rows([attempt(1.0), attempt(2.0, side="candidate"), attempt(3.0, side="", status=503)], 30.0)
    assert [row.side for row in rows] == ["none", "stable", "candidate"]
    assert rows[0].statuses == ((503, 1),)
    assert rows[0].client_failures == 1


def test_a_latency_on_a_bound_belongs_below_it() -> None:
    (row,) = WINDOWS.rows([attempt(1.0, took_s=took) for took in (0.005, 0.01, 0.011, 0.1, 7.0)], 30.0)
    assert row.latency_counts == (2, 2, 1)
    assert row.latency_sum_s == pytest.approx(7.126)


def test_a_retry_is_one_request_of_the_last_attempts_side() -> None:
    first = attempt(9.0, status=503, again=True)
    second = attempt(11.0, attempt=1, side="candidate")
    before, after = WINDOWS.rows([first, second], 20.0)
    assert (before.side, before.client_requests, before.retries, before.statuses) == ("stable", 0, 1, ((503, 1),))
    assert (after.side, after.client_requests, after.client_failures) == ("candidate", 1, 0)


def test_who_gives_up_counts_a_time_out_and_no_answer() -> None:
    (row,) = WINDOWS.rows([attempt(1.0, status=504, timed_out=True)], 20.0)
    assert (row.timeouts, row.client_requests, row.client_failures) == (1, 1, 1)
    assert row.statuses == ()
    assert sum(row.latency_counts) == 0


def test_a_client_error_is_no_failure() -> None:
    (row,) = WINDOWS.rows([attempt(1.0, status=404)], 20.0)
    assert (row.client_requests, row.client_failures) == (1, 0)


def test_what_was_never_sent_is_no_request() -> None:
    assert WINDOWS.rows([attempt(1.0, status=0, side="", error=OVERFLOW)], 20.0) == ()


def test_a_watcher_sees_a_window_once_it_has_closed() -> None:
    watch = Watch(WINDOWS, lag_s=1.0)
    watch.add([attempt(-12.0, status=500), attempt(-9.0)])
    assert list(watch.closed(-9.5)) == []
    ((end_s, rows),) = watch.closed(-9.0)
    assert (end_s, error_ratio(rows)) == (-10.0, 1.0)
    watch.add([attempt(-8.0)])
    (later, none) = watch.closed(11.0)
    assert (later[0], sum(row.client_requests for row in later[1])) == (0.0, 2)
    assert none == (10.0, ())


PLAN = LoadPlan(LoadShape((Stage(60.0, 4.0),)), Client(), (RequestClass(1.0),), 1, ((0.0, 1),), 4.04, until_s=1000.0)


def test_the_achieved_rate_counts_first_attempts_only() -> None:
    sent = [attempt(k / 4) for k in range(1, 40)]
    found = achieved([*sent, attempt(5.0, attempt=1)], PLAN, APPLIED, APPLIED + 10.0)
    assert (found.due, found.sent) == (39, 39)
    assert found.expected == pytest.approx(40.0)
    assert found.problems == ()
    assert "3.9 requests/s over 10 s (planned: 4.0)" in str(found)


def test_the_expected_number_counts_the_last_part_of_a_second() -> None:
    assert expected(PLAN, 0.0, 9.75) == pytest.approx(39.0)


def test_a_late_or_short_load_says_so() -> None:
    late = [attempt(k / 4, scheduled_s=APPLIED + k / 4 - 0.5) for k in range(1, 20)]
    lost = [attempt(k / 16, status=0, side="", error=OVERFLOW) for k in range(16, 160)]
    first, second, third = achieved([*late, *lost], PLAN, APPLIED, APPLIED + 10.0).problems
    assert "late" in first
    assert "never sent" in second
    assert "where the plan makes 40" in third
