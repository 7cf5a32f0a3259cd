from __future__ import annotations

import pytest

from reports.numbers import clock, interval_text, length, number
from reports.statistics import NOTHING, Estimate


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        pytest.param(None, "min", "-", id="nothing"),
        pytest.param(0.0, "min", "0 min", id="zero"),
        pytest.param(12.345, "min", "12.3 min", id="three digits"),
        pytest.param(56.7, "min", "56.7 min", id="most of an hour"),
        pytest.param(0.747, "min", "44.8 s", id="less than a minute"),
        pytest.param(240.0, "min", "4 h", id="hours"),
        pytest.param(20208.0, "min", "14 d", id="days"),
        pytest.param(0.5, "h", "30 min", id="half an hour"),
        pytest.param(48.0, "h", "48 h", id="two days of hours"),
        pytest.param(139.4, "h", "5.81 d", id="days from hours"),
        pytest.param(1234567.0, "requests", "1,230,000", id="large"),
        pytest.param(4.87, "requests", "5", id="requests are whole"),
        pytest.param(-0.3, "requests", "0", id="no negative zero"),
        pytest.param(0.0123, "share", "1.23 %", id="share"),
        pytest.param(1.0, "share", "100 %", id="all"),
        pytest.param(-0.000006, "share", "0 %", id="no tiny share"),
        pytest.param(-0.004567, "GB", "-0.00457 GB", id="small and negative"),
        pytest.param(999.9, "GB", "1,000 GB", id="rounds up a digit"),
        pytest.param(839.0, "1/week", "839 a week", id="frequency"),
        pytest.param(1.5, "pod h", "1.5 pod-hours", id="pods"),
    ],
)
def test_numbers_in_words(value: float | None, unit: str, expected: str) -> None:
    assert number(value, unit) == expected


@pytest.mark.parametrize(
    ("estimate", "unit", "expected"),
    [
        pytest.param(NOTHING, "min", "n/a", id="nothing"),
        pytest.param(Estimate(2.0, None, None, 1), "min", "2 min", id="no interval"),
        pytest.param(Estimate(20160.0, 1440.0, 43200.0, 9), "min", "14 d (1 .. 30)", id="bounds in the mean's unit"),
        pytest.param(Estimate(0.0, 0.0, 0.58, 9), "share", "0 % (0 .. 58)", id="share"),
        pytest.param(Estimate(0.0, 0.0, 300.0, 9), "min", "0 h (0 .. 5)", id="nothing, but perhaps much"),
    ],
)
def test_intervals_in_words(estimate: Estimate, unit: str, expected: str) -> None:
    assert interval_text(estimate, unit) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(0.2, "0s", id="the apply"),
        pytest.param(45.0, "+45s", id="seconds"),
        pytest.param(89.6, "+1m30s", id="minutes"),
        pytest.param(-1200.0, "-20m00s", id="before"),
        pytest.param(22320.0, "+6h12m", id="hours"),
        pytest.param(1212240.0, "+14d00h44m", id="days"),
    ],
)
def test_times_since_the_apply(seconds: float, expected: str) -> None:
    assert clock(seconds) == expected
    assert length(seconds) == expected.removeprefix("+").removeprefix("-")
