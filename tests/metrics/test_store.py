"""Samples, staleness and what an instant sees (evaluators reference 1.2, rules 1 and 3)."""

from __future__ import annotations

import math

import pytest

from sim.metrics import STALE, SeriesStore, promql

UP = {"__name__": "up", "pod": "a"}


def visible(store: SeriesStore, at_s: float, dialect: str = "3") -> bool:
    return bool(promql.query(store, "up", at_s, dialect))


@pytest.fixture
def store() -> SeriesStore:
    store = SeriesStore()
    store.append(UP, 15.0, 1.0)
    return store


@pytest.mark.parametrize(
    ("at_s", "dialect", "seen"),
    [
        pytest.param(14.999, "3", False, id="not before its first sample"),
        pytest.param(15.0, "3", True, id="from its sample on"),
        pytest.param(314.999, "3", True, id="lingers for the lookback"),
        pytest.param(315.0, "3", False, id="3: a sample exactly the lookback old is gone"),
        pytest.param(315.0, "2", True, id="2: a sample exactly the lookback old is visible"),
        pytest.param(315.001, "2", False, id="2: gone after it"),
    ],
)
def test_lookback(store: SeriesStore, at_s: float, dialect: str, seen: bool) -> None:
    assert visible(store, at_s, dialect) is seen


def test_a_stale_marker_ends_a_series_at_once(store: SeriesStore) -> None:
    store.mark_stale(UP, 30.0)
    assert visible(store, 29.999)
    assert not visible(store, 30.0)
    assert not visible(store, 100.0)


def test_a_sample_after_the_marker_revives_the_series(store: SeriesStore) -> None:
    store.mark_stale(UP, 30.0)
    store.append(UP, 45.0, 1.0)
    assert not visible(store, 44.0)
    assert visible(store, 45.0)


def test_a_range_sees_the_samples_on_both_sides_of_a_marker(store: SeriesStore) -> None:
    store.mark_stale(UP, 30.0)
    store.append(UP, 45.0, 1.0)
    assert promql.query(store, "count_over_time(up[1m])", 60.0) == [({"pod": "a"}, 2.0)]


def test_samples_come_in_time_order(store: SeriesStore) -> None:
    with pytest.raises(ValueError, match="earlier than"):
        store.append(UP, 1.0, 1.0)


def test_a_second_sample_of_an_instant_is_dropped_as_by_a_server(store: SeriesStore) -> None:
    store.append(UP, 15.0, 7.0)
    assert promql.query(store, "up", 15.0) == [(UP, 1.0)]


def test_the_stale_nan_is_a_marker_and_another_nan_a_value(store: SeriesStore) -> None:
    store.append(UP, 30.0, math.nan)
    assert promql.query(store, "count(up)", 30.0) == [({}, 1.0)]
    store.append(UP, 45.0, STALE)
    assert promql.query(store, "up", 45.0) == []
    assert promql.query(store, "count_over_time(up[1m])", 60.0) == [({"pod": "a"}, 2.0)]


def test_answers_are_the_askers_own(store: SeriesStore) -> None:
    answer = promql.query(store, "up", 15.0)
    assert isinstance(answer, list)
    labels = answer[0][0]
    assert isinstance(labels, dict)
    labels.clear()
    assert promql.query(store, "up", 15.0) == [(UP, 1.0)]


@pytest.mark.parametrize("count", [1, 31, 32, 33, 500], ids=lambda count: f"{count} samples")
def test_no_sample_is_lost_however_many_there_are(count: int) -> None:
    store = SeriesStore()
    for index in range(count):
        for pod in "ab" if index % 3 else "a":
            store.append({"__name__": "up", "pod": pod}, index * 15.0, float(index))
        if index % 7 == 0:
            assert promql.query(store, "up{pod='a'}", index * 15.0) == [({"__name__": "up", "pod": "a"}, float(index))]
    expected = [({"pod": "a"}, float(count)), ({"pod": "b"}, float(count - (count + 2) // 3))]
    found = promql.query(store, "count_over_time(up[1d])", count * 15.0)
    assert found == [pair for pair in expected if pair[1]]


def test_series_born_after_a_query_are_found_by_the_next(store: SeriesStore) -> None:
    assert promql.query(store, "count(up)", 20.0) == [({}, 1.0)]
    store.append({"__name__": "up", "pod": "b"}, 20.0, 1.0)
    assert promql.query(store, "count(up)", 20.0) == [({}, 2.0)]


def test_an_empty_label_is_no_label(store: SeriesStore) -> None:
    store.append({**UP, "zone": ""}, 30.0, 0.0)
    assert promql.query(store, "up", 30.0) == [(UP, 0.0)]


def test_results_are_in_label_order_until_2_51_and_in_order_of_creation_since() -> None:
    store = SeriesStore()
    for pod in "zam":
        store.append({"__name__": "up", "pod": pod}, 1.0, 1.0)
    assert [labels["pod"] for labels, _ in vector(store, "2.42")] == ["a", "m", "z"]
    assert [labels["pod"] for labels, _ in vector(store, "2")] == ["z", "a", "m"]
    assert [labels["pod"] for labels, _ in vector(store, "3")] == ["z", "a", "m"]


def vector(store: SeriesStore, dialect: str) -> list[tuple[dict[str, str], float]]:
    value = promql.query(store, "up", 1.0, dialect)
    assert isinstance(value, list)
    return [(dict(labels), number) for labels, number in value]
