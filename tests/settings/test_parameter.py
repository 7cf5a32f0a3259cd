from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.findings import BadInput
from scenarios.settings import Choices, Range, Unit, read_parameter, read_parameters


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("a=1m..10m", Range(Unit.DURATION, 60.0, 600.0), id="duration"),
        pytest.param("a=0..2m", Range(Unit.DURATION, 0.0, 120.0), id="from nothing"),
        pytest.param("a=1..20", Range(Unit.WHOLE, 1.0, 20.0, step=1.0), id="whole"),
        pytest.param("a=1..20.5", Range(Unit.NUMBER, 1.0, 20.5), id="number"),
        pytest.param("a=0.001..0.1:log", Range(Unit.NUMBER, 0.001, 0.1, log=True), id="logarithmic"),
        pytest.param("a=10%..50%", Range(Unit.PERCENT, 10.0, 50.0, step=1.0), id="percentage"),
        pytest.param("a=1m..10m:30s", Range(Unit.DURATION, 60.0, 600.0, step=30.0), id="steps"),
        pytest.param("a= 1m , 5m,10m", Choices(("1m", "5m", "10m")), id="list"),
        pytest.param("args[x=y].b=keep,drop", Choices(("keep", "drop")), id="words"),
        pytest.param("a=5", Choices(("5",)), id="one"),
    ],
)
def test_values_are_read_as_they_are_written(text: str, values: object) -> None:
    assert read_parameter(text).values == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "must be NAME=", id="nothing"),
        pytest.param("canary.steps", "must be NAME=", id="no values"),
        pytest.param("=1..2", "must be NAME=", id="no name"),
        pytest.param("a=", "must be NAME=", id="empty"),
        pytest.param("a=10m..1m", "write 1m..10m", id="backwards"),
        pytest.param("a=1m..1m", "write =1m", id="empty range"),
        pytest.param("a=1..10m", "write both ends alike", id="mixed"),
        pytest.param("a=..5", "needs two ends", id="open"),
        pytest.param("a=low..high", "no number", id="words in a range"),
        pytest.param("a=0..1:log", "above 0", id="logarithm of nothing"),
        pytest.param("a=1..5:9", "does not fit", id="step too wide"),
        pytest.param("a=1..5:x", "could not convert", id="step of no number"),
        pytest.param("a=1,,2", "empty", id="hole"),
        pytest.param("a=1,2,1", "twice", id="twice"),
        pytest.param("a=-5m..1m", "no duration", id="negative duration"),
    ],
)
def test_what_is_no_parameter_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read_parameter(text)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(BadInput) as error:
        read_parameters(["a=2..1", "b=1..2", "b=3..4", "c"])
    assert [finding.file for finding in error.value.findings] == [
        "--param a=2..1",
        "--param b=1..2",
        "--param b=3..4",
        "--param c",
    ]


@pytest.mark.parametrize(
    ("text", "share", "written"),
    [
        pytest.param("a=10s..4m:log", 0.5, "49s", id="seconds"),
        pytest.param("a=1m..10m", 0.51, "5m35s", id="five seconds"),
        pytest.param("a=1h..3h", 0.333, "1h40m", id="minutes"),
        pytest.param("a=100ms..900ms", 0.5, "500ms", id="milliseconds"),
        pytest.param("a=0.99..0.9975", 0.333, "0.9925", id="digits"),
        pytest.param("a=0.00001..0.1:log", 0.0, "0.00001", id="no exponent"),
        pytest.param("a=10%..50%", 0.51, "30%", id="percent"),
        pytest.param("a=1..10:4", 0.9, "9", id="step"),
        pytest.param("a=1..10:4", 1.0, "10", id="upper end"),
        pytest.param("a=x,y,z", 1.0, "z", id="last of a list"),
    ],
)
def test_values_between_are_those_that_people_write(text: str, share: float, written: str) -> None:
    assert read_parameter(text).values.at(share) == written


@given(st.floats(0, 1), st.sampled_from(["a=10s..7m:log", "a=0.2..0.9", "a=3..11:3", "a=5%..33.5%", "a=1..1000:log"]))
def test_values_stay_within_and_are_read_back_as_they_are(share: float, text: str) -> None:
    values = read_parameter(text).values
    assert isinstance(values, Range)
    written = values.at(share)
    number = values.read(written)
    assert number is not None
    assert values.low <= number <= values.high
    assert values.write(number) == written


def test_points_go_from_end_to_end_without_repeating() -> None:
    assert read_parameter("a=1..4").values.points(9) == ("1", "2", "3", "4")
    assert read_parameter("a=1m..16m:log").values.points(3) == ("1m", "4m", "16m")
    assert read_parameter("a=1m..3m").values.points(1) == ("2m",)
    assert read_parameter("a=b,c").values.points(1) == ("b", "c")
