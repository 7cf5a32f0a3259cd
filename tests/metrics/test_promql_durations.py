"""Arithmetic on durations, and where it ends."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics import SeriesStore, promql
from sim.metrics.promql.durations import Span, folded
from sim.metrics.promql.nodes import PromqlError

SPAN = Span(step_ms=5_000, range_ms=60_000)

TABLE = [
    ("x[5m]", "x[5m]"),
    ("x[2m * 15]", "x[1800000ms]"),
    ("x[1h30m % 1h]", "x[1800000ms]"),
    ("x[-5m + 35m]", "x[1800000ms]"),
    ("x[(1 + 2) * 2 ^ 3 ^ 0]", "x[6000ms]"),
    ("x[200 - 2 ^ 2]", "x[196000ms]"),
    ("x[29s + 1s:5s + 5s]", "x[30000ms:10000ms]"),
    ("x[5m:]", "x[5m:]"),
    ("x[step()]", "x[5000ms]"),
    ("x[min_of(range(), 1h):max_of(STEP(), 1)]", "x[60000ms:5000ms]"),
    ("x offset (2 * 2)", "x offset 4000ms"),
    ("x offset -(1h / 2)", "x offset -1800000ms"),
    ("x offset -2 * 2", "x offset -2 * 2"),
    ("x offset -step() * 2", "x offset -5000ms * 2"),
    ("x offset (-2 ^ 2)", "x offset -4000ms"),
    ("x offset 0s", "x offset 0"),
    ("x @ 1.5 offset 1m", "x @ 1000000000001.500 offset 1m"),
    ("x @ -1 + y @ end()", "x @ 999999999999.000 + y @ end()"),
    ("x @ NaN", "x @ NaN"),
    ("offset + sum(x) by (offset)", "offset + sum(x) by (offset)"),
    ('x{a="[1 + 1]"}', 'x{a="[1 + 1]"}'),
    ("x[$interval]", "x[$interval]"),
    ("x[(", "x[("),
]


@pytest.mark.parametrize(("text", "expected"), [pytest.param(*row, id=row[0]) for row in TABLE])
def test_durations_are_worked_out(text: str, expected: str) -> None:
    assert folded(text, SPAN) == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param("x[5m - 5m]", "1:3: parse error: duration must be greater than 0", id="nothing left"),
        pytest.param("x[0]", "parse error: duration must be greater than 0", id="zero"),
        pytest.param("x[step()]", "1:3: parse error: duration must be greater than 0", id="no step at an instant"),
        pytest.param("x offset NaN", "1:10: parse error: duration out of range", id="no number"),
        pytest.param("x offset -1e400", "1:10: parse error: duration out of range", id="no offset"),
        pytest.param("x[1e400]", "1:3: parse error: duration out of range", id="no range"),
        pytest.param("x[1m:Inf]", "1:6: parse error: duration out of range", id="no step"),
        pytest.param("x[1 / 0]", "1:5: parse error: division by zero", id="by zero"),
        pytest.param("x[1 % (2 - 2)]", "1:5: parse error: modulo by zero", id="modulo"),
        pytest.param("x offset (1y * 1000)", "1:10: parse error: duration out of range", id="too long"),
        pytest.param("x[10 ^ 400]", "1:6: parse error: duration is NaN or infinite", id="infinite"),
        pytest.param("x[" + "(" * 200 + "1" + ")" * 200 + "]", "nested more than 100 levels", id="too deep"),
    ],
)
def test_refused_durations(query: str, said: str) -> None:
    found = promql.check(query)
    assert found is not None
    assert said in found


def test_step_and_range_are_those_of_the_query() -> None:
    store = SeriesStore()
    for index in range(100):
        store.append({"__name__": "x"}, float(index), float(index))
    text = "count_over_time(x[step() + 1]) + range()"
    assert promql.query_range(store, text, 50.0, 60.0, 5.0) == [({}, [(50.0, 16.0), (55.0, 16.0), (60.0, 16.0)])]
    assert promql.query_range(store, text, 50.0, 60.0, 10.0) == [({}, [(50.0, 21.0), (60.0, 21.0)])]


PIECES = st.lists(st.sampled_from(["x", "[", "]", "(", ")", ":", "5m", "1", "0", "+", "-", "*", "/", "%", "^", ",", "step",
                                   "min_of", "offset", "{", "'"]), max_size=14)  # fmt: skip


@given(PIECES.map("".join))
def test_any_text_is_folded_or_refused(text: str) -> None:
    with suppress(PromqlError):
        assert isinstance(folded(text, SPAN), str)
