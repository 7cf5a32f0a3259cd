from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decide.script import (
    Route,
    active_color,
    failure,
    is_above,
    query_text,
    sample_text,
    switch_route,
    undo_route,
    validate,
    value_of,
)
from sim.model.strategy import ScriptDefects, SwitchScript

WRITTEN = ScriptDefects()
MENDED = ScriptDefects(
    missing_target_is_healthy=False, no_data_passes=False, whole_service_query=False, rollback_is_toggle=False
)
SCRIPT = SwitchScript("vs")
SOUND = replace(SCRIPT, defects=MENDED)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("host", "color", "target"),
    [
        pytest.param("triptrip-api-blue", "blue", "green", id="blue"),
        pytest.param("triptrip-api-green", "green", "blue", id="green"),
        pytest.param("other", "other", "blue", id="foreign-host-is-kept"),
        pytest.param(None, "", "blue", id="no-route"),
    ],
)
def test_switch(host: str | None, color: str, target: str) -> None:
    assert active_color(SCRIPT, host) == color
    assert switch_route(SCRIPT, color) == Route(target, color)


@pytest.mark.parametrize(
    ("ready", "desired", "others", "written", "mended"),
    [
        pytest.param(3, 3, 0, True, True, id="healthy"),
        pytest.param(2, 3, 0, False, False, id="not-ready"),
        pytest.param(3, 3, 1, False, False, id="evicted-leftover"),
        pytest.param(3, 3, None, True, True, id="pods-cannot-be-listed"),
        pytest.param(None, None, None, True, False, id="no-such-deployment"),
        pytest.param(0, 0, 0, False, False, id="scaled-to-zero"),
        pytest.param(None, 3, 0, False, False, id="none-ready"),
    ],
)
def test_validation(ready: int | None, desired: int | None, others: int | None, written: bool, mended: bool) -> None:
    assert (validate(WRITTEN, ready, desired, others) is None) is written
    assert (validate(MENDED, ready, desired, others) is None) is mended


def test_refusal_names_the_numbers() -> None:
    assert validate(WRITTEN, 0, 3, 0) == "not ready: /3"


@pytest.mark.parametrize(
    ("vector", "text"),
    [
        pytest.param([((), 7.5)], "7.5", id="value"),
        pytest.param([((), 7.0)], "7", id="whole-number"),
        pytest.param([((), 1e-7)], "0.0000001", id="no-exponent"),
        pytest.param([((), 2e21)], "2000000000000000000000", id="large"),
        pytest.param([((), NAN)], "NaN", id="nan"),
        pytest.param([((), INF)], "+Inf", id="infinity"),
        pytest.param([((), 1.0), ((), 99.0)], "1", id="first-series-only"),
        pytest.param([], "0", id="no-series"),
        pytest.param(None, "", id="prometheus-down"),
    ],
)
def test_value_as_printed(vector: list[tuple[tuple[tuple[str, str], ...], float]] | None, text: str) -> None:
    assert value_of(WRITTEN, vector) == text


@pytest.mark.parametrize(
    ("text", "written", "mended"),
    [
        pytest.param("5.1", True, True, id="above"),
        pytest.param("5", False, False, id="equal-is-not-above"),
        pytest.param("-9", False, False, id="negative"),
        pytest.param("NaN", False, True, id="nan"),
        pytest.param("+Inf", False, True, id="infinite"),
        pytest.param("", False, True, id="nothing"),
        pytest.param("<html>", False, True, id="an-error-page"),
    ],
)
def test_comparison(text: str, written: bool, mended: bool) -> None:
    assert is_above(WRITTEN, text, 5.0) is written
    assert is_above(MENDED, text, 5.0) is mended


def test_no_data_passes_as_written_and_fails_when_mended() -> None:
    assert failure(SCRIPT, [], None) is None
    assert failure(SOUND, [], None) == "error rate too high: no data"
    assert failure(SOUND, [((), 1.0)], [((), 2500.0)]) == "P99 latency too high: 2500"


def test_undo_toggles_as_written() -> None:
    once = undo_route(SCRIPT, "green", before="blue")
    assert once == Route("blue", "green")
    assert undo_route(SCRIPT, once.target, before="blue") == Route("green", "blue")


def test_undo_restores_when_mended() -> None:
    assert undo_route(SOUND, "green", before="blue") == Route("blue", "green")
    assert undo_route(SOUND, "blue", before="blue") == Route("blue", "green")


def test_queries() -> None:
    query = 'up{service="{service}"}'
    assert query_text(SCRIPT, query, "green") == 'up{service="triptrip-api"}'
    assert query_text(SOUND, query, "green") == 'up{service="triptrip-api-green"}'
    assert query_text(SCRIPT, 'up{version="{color}"}', "green") == 'up{version="green"}'


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_printed_numbers_read_back(value: float) -> None:
    assert float(sample_text(value)) == value
    assert is_above(WRITTEN, sample_text(value), 5.0) is (value > 5.0)
