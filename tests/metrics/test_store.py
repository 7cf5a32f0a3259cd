"""Samples, staleness and what an instant sees (evaluators reference 1.2, rules 1 and 3)."""

from __future__ import annotations

import pytest

from sim.metrics import promql
from sim.metrics.store import SeriesStore

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


@pytest.mark.parametrize("t_s", [pytest.param(15.0, id="same instant"), pytest.param(1.0, id="earlier")])
def test_samples_come_in_time_order(store: SeriesStore, t_s: float) -> None:
    with pytest.raises(ValueError, match="not later than"):
        store.append(UP, t_s, 1.0)


def test_series_born_after_a_query_are_found_by_the_next(store: SeriesStore) -> None:
    assert promql.query(store, "count(up)", 20.0) == [({}, 1.0)]
    store.append({"__name__": "up", "pod": "b"}, 20.0, 1.0)
    assert promql.query(store, "count(up)", 20.0) == [({}, 2.0)]


def test_an_empty_label_is_no_label(store: SeriesStore) -> None:
    store.append({**UP, "zone": ""}, 30.0, 0.0)
    assert promql.query(store, "up", 30.0) == [(UP, 0.0)]


def test_results_are_in_label_order_in_2_and_in_order_of_creation_in_3() -> None:
    store = SeriesStore()
    for pod in "zam":
        store.append({"__name__": "up", "pod": pod}, 1.0, 1.0)
    assert [labels["pod"] for labels, _ in vector(store, "2")] == ["a", "m", "z"]
    assert [labels["pod"] for labels, _ in vector(store, "3")] == ["z", "a", "m"]


def vector(store: SeriesStore, dialect: str) -> list[tuple[dict[str, str], float]]:
    value = promql.query(store, "up", 1.0, dialect)
    assert isinstance(value, list)
    return [(dict(labels), number) for labels, number in value]
