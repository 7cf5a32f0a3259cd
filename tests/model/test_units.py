"""Durations, quantities and counts as manifests write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sim.model.units import IntOrPercent, duration_text, go_duration_s, quantity


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("90s", 90.0, id="seconds"),
        pytest.param("1h30m", 5400.0, id="hours-and-minutes"),
        pytest.param("300ms", 0.3, id="milliseconds"),
        pytest.param("1.5s", 1.5, id="fraction"),
        pytest.param(".5s", 0.5, id="bare-fraction"),
        pytest.param("0", 0.0, id="bare-zero"),
        pytest.param("-2m", -120.0, id="negative"),
        pytest.param("0.1s0.2s", 0.3, id="no-binary-noise"),
    ],
)
def test_go_reads_these_durations(text: str, seconds: float) -> None:
    assert go_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "7d", "5 m", "m", "1h-5m", "+", "1e3s", "٣s"])
def test_go_refuses_these_durations(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        go_duration_s(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.0, "0s", id="zero"),
        pytest.param(0.25, "250ms", id="milliseconds"),
        pytest.param(2.5, "2.5s", id="fraction"),
        pytest.param(90.0, "1m30s", id="minutes"),
        pytest.param(3600.5, "1h0.5s", id="hour-and-a-bit"),
        pytest.param(119.9996, "2m", id="rounds-up-cleanly"),
        pytest.param(-61.0, "-1m1s", id="negative"),
    ],
)
def test_people_read_these_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@given(some.integers(0, 10**9))
def test_a_duration_survives_being_written(milliseconds: int) -> None:
    assert go_duration_s(duration_text(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "number"),
    [("500m", 0.5), ("2Gi", 2.0**31), ("1e3", 1000.0), ("0.1", 0.1), ("100k", 1e5), ("12", 12.0), (3, 3.0)],
)
def test_quantities(text: str | float, number: float) -> None:
    assert quantity(text) == number


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1KiB", "ten", "--1"])
def test_these_are_no_quantities(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        quantity(text)


def test_surge_rounds_up_and_unavailable_down() -> None:
    quarter = IntOrPercent.parse("25%")
    assert (quarter.of(10, round_up=True), quarter.of(10, round_up=False)) == (3, 2)
    assert IntOrPercent.parse("25") == IntOrPercent.parse("+25%%") == quarter
    assert IntOrPercent.parse(3).of(10, round_up=True) == 3
