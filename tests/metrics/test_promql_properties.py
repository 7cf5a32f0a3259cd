"""What holds of any query over any samples."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.metrics import STALE, SeriesStore, promql
from sim.metrics.promql import PromqlError
from sim.metrics.promql.lexer import tokens
from tests.oracle.data import BEGIN_MS, END_MS, series, store_of
from tests.oracle.queries import queries

STORE = store_of(series(5))
DIALECTS = st.sampled_from(sorted(promql.DIALECTS))
INSTANTS = st.integers(BEGIN_MS - 60_000, END_MS + 400_000).map(lambda t_ms: t_ms / 1000)
Answer = list[tuple[tuple[tuple[str, str], ...], float]] | float | str


def answer(store: SeriesStore, text: str, at_s: float, dialect: str) -> Answer:
    try:
        value = promql.query(store, text, at_s, dialect)
    except PromqlError as error:
        return error.reason
    if isinstance(value, float):
        return value
    return sorted((tuple(sorted(labels.items())), number) for labels, number in value)


def same(one: Answer, other: Answer) -> bool:
    return repr(one) == repr(other)


@settings(max_examples=120)
@given(st.integers(0, 2**32), INSTANTS, DIALECTS)
def test_well_formed_queries_evaluate_or_are_refused(seed: int, at_s: float, dialect: str) -> None:
    for text in queries(seed, 4):
        assert promql.check(text) is None, text
        answer(STORE, text, at_s, dialect)


DAMAGE = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["drop", "insert", "replace"]), st.sampled_from(
        ["anchored", "smoothed", "info", "(", ")", "[", "]", "{", "}", "5m", "-", "^", "@", "offset", "start()", "step()",
         "by", "on", "(pod)", "fill(0)", "bool", "'a'", "1e400", "NaN", "Inf", ":", ",", "=~", "limit_ratio", "#", "\ud800",
         "count_values", "holt_winters", "absent", "scalar", "c", "h_bucket", "999999999y", "1e18"])),
    min_size=1, max_size=3,
)  # fmt: skip


@settings(max_examples=200)
@given(st.integers(0, 2**32), DAMAGE, INSTANTS, DIALECTS)
def test_damaged_queries_evaluate_or_are_refused(
    seed: int, damage: list[tuple[int, str, str]], at_s: float, dialect: str
) -> None:
    words = [token.text for token in tokens(next(queries(seed, 1)))]
    for position, what, word in damage:
        at = position % (len(words) + 1)
        words[at : at + (what != "insert")] = [] if what == "drop" else [word]
    answer(STORE, " ".join(words), at_s, dialect)


@settings(max_examples=60)
@given(st.integers(0, 2**32), INSTANTS, DIALECTS, st.sampled_from([15.0, 61.5]))
def test_a_range_query_is_its_instants(seed: int, at_s: float, dialect: str, step_s: float) -> None:
    text = next(text for text in queries(seed, 20) if "start()" not in text and "end()" not in text and "[" in text)
    found: dict[float, list[tuple[tuple[tuple[str, str], ...], float]]] = {at_s: [], at_s + step_s: []}
    instants = {t_s: answer(STORE, text, t_s, dialect) for t_s in found}
    if any(isinstance(one, str) for one in instants.values()):
        with pytest.raises(PromqlError):
            promql.query_range(STORE, text, at_s, at_s + step_s, step_s, dialect=dialect)
        return
    for labels, points in promql.query_range(STORE, text, at_s, at_s + step_s, step_s, dialect=dialect):
        for t_s, value in points:
            found[t_s].append((tuple(sorted(labels.items())), value))
    for t_s, vector in found.items():
        expected = instants[t_s]
        assert same(sorted(vector), [((), expected)] if isinstance(expected, float) else expected)


@settings(max_examples=40)
@given(st.integers(0, 2**32), INSTANTS, st.randoms(use_true_random=False))
def test_the_order_in_which_series_are_written_does_not_matter(
    seed: int, at_s: float, order: Callable[..., None]
) -> None:
    written = series(3)
    order.shuffle(written)  # type: ignore[attr-defined]  # it is a random.Random
    shuffled = SeriesStore()
    for labels, samples in written:
        for t_ms, value in samples:
            shuffled.append(labels, t_ms / 1000, value)
    for text in queries(seed, 3):
        one, other = (answer(store, text, at_s, "2.42") for store in (shuffled, THIRD))
        assert same(one, other) or isinstance(one, str), text


THIRD = store_of(series(3))


SAMPLES = st.lists(
    st.tuples(st.integers(1, 90_000), st.one_of(st.floats(), st.floats(0, 1e6), st.just(STALE))),
    min_size=1,
    max_size=80,
)


def reference(samples: Sequence[tuple[int, float]], at_ms: int, width_ms: int) -> list[tuple[int, float]]:
    times = [t_ms for t_ms, _ in samples]
    low, high = bisect_right(times, at_ms - width_ms), bisect_right(times, at_ms)
    return [one for one in samples[low:high] if repr(one[1]) != "nan" or not is_stale(one[1])]


def is_stale(value: float) -> bool:
    store = SeriesStore()
    store.append({"__name__": "probe"}, 0.0, value)
    return promql.query(store, "probe", 0.0) == []


@settings(max_examples=80)
@given(st.lists(SAMPLES, min_size=1, max_size=4), st.integers(0, 4_000_000), st.integers(1, 600_000), st.booleans())
@example([[(1, STALE)], [(1, 0.0)]], 1, 1, True)
def test_windows_hold_the_samples_that_were_written(
    steps: list[list[tuple[int, float]]], at_ms: int, width_ms: int, asked_between: bool
) -> None:
    store = SeriesStore()
    written: list[list[tuple[int, float]]] = []
    for number, one in enumerate(steps):
        t_ms, row = 0, []
        for gap_ms, value in one:
            t_ms += gap_ms
            row.append((t_ms, value))
            store.append({"__name__": "x", "n": str(number)}, t_ms / 1000, value)
            if asked_between and gap_ms % 5 == 0:
                promql.query(store, "rate(x[1m])", t_ms / 1000)
        written.append(row)
    found = {
        labels["n"]: [(round(t_s * 1000), value) for t_s, value in points]
        for labels, points in promql.query_matrix(store, f"x[{width_ms}ms]", at_ms / 1000)
    }
    expected = {str(number): reference(row, at_ms, width_ms) for number, row in enumerate(written)}
    assert repr(found) == repr({number: row for number, row in expected.items() if row})


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1e308, 1e308, 1e308], id="the sum overflows"),
        pytest.param([1e100, 1.0, -1e100], id="great ones cancel"),
        pytest.param([math.inf, 1.0], id="infinite"),
    ],
)
def test_means_of_hard_numbers(values: list[float]) -> None:
    store = SeriesStore()
    for index, value in enumerate(values):
        store.append({"__name__": "x"}, float(index), value)
        store.append({"__name__": "y", "n": str(index)}, 2.0, value)
    expected = math.inf if math.inf in values else (1e308 if values[1] == 1e308 else 1 / 3)
    for text in ("avg_over_time(x[1m])", "avg(y)"):
        found = promql.query(store, text, 2.0)
        assert isinstance(found, list)
        assert found[0][1] == pytest.approx(expected)
