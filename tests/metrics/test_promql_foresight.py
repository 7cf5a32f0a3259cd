"""Rates worked out for several instants at once are those of each instant, to the last bit."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics import SeriesStore, promql
from sim.metrics.promql import PromqlError
from sim.metrics.promql.functions import FUNCTIONS
from tests.oracle.data import BEGIN_MS, END_MS, series, store_of
from tests.oracle.queries import queries

DIALECTS = st.sampled_from(sorted(promql.DIALECTS))
INSTANTS = st.lists(
    st.integers(BEGIN_MS - 60_000, END_MS + 400_000).map(lambda t_ms: t_ms / 1000), min_size=1, max_size=6
)
RATES = st.builds(
    "{}({}[{}]{})".format,
    st.sampled_from(["rate", "increase", "delta"]),
    st.sampled_from(["c", "h_bucket", '{__name__=~"c|g"}', "nothing", 'c{pod!="z-0"}']),
    st.sampled_from(["15s", "1m", "5m", "10m"]),
    st.sampled_from(["", " offset 1m"]),
)
GATES = st.sampled_from(
    ["{}", "sum({})", "sum by (pod) ({}) / sum({})", "histogram_quantile(0.9, sum by (le) ({}))", "-{} > 0"]
)


@cache
def stored(seed: int) -> SeriesStore:
    return store_of(series(seed))


def answer(store: SeriesStore, text: str, at_s: float, dialect: str) -> str:
    try:
        return repr(promql.query(store, text, at_s, dialect))
    except PromqlError as error:
        return error.reason


@settings(max_examples=150)
@given(st.integers(0, 5), RATES, GATES, INSTANTS, DIALECTS)
def test_gates_are_answered_alike(seed: int, rate: str, gate: str, instants_s: list[float], dialect: str) -> None:
    check(seed, gate.replace("{}", rate), instants_s, dialect)


@settings(max_examples=60)
@given(st.integers(0, 2**32), INSTANTS, DIALECTS)
def test_so_is_any_query(seed: int, instants_s: list[float], dialect: str) -> None:
    for text in queries(seed, 4):
        check(seed % 6, text, instants_s, dialect)


def check(seed: int, text: str, instants_s: list[float], dialect: str) -> None:
    store = stored(seed)
    alone = [answer(store, text, at_s, dialect) for at_s in instants_s]
    with promql.foreseen(store, text, instants_s, dialect):
        assert [answer(store, text, at_s, dialect) for at_s in instants_s] == alone, text
    assert not store.foreseen


@pytest.mark.parametrize("dialect", sorted(promql.DIALECTS))
def test_rates_are_not_worked_out_again(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rate", "increase"):
        monkeypatch.setitem(FUNCTIONS, name, lambda *_: pytest.fail("worked out again"))
    at_s = (BEGIN_MS + END_MS) / 2000
    with promql.foreseen(stored(5), "sum(rate(c[5m])) / sum(increase(c[5m]))", [at_s], dialect):
        assert "0.0033" in answer(stored(5), "sum(rate(c[5m])) / sum(increase(c[5m]))", at_s, dialect)


def test_what_is_no_query_is_left_to_whoever_asks() -> None:
    store = stored(5)
    with promql.foreseen(store, "sum(", [0.0]):
        assert not store.foreseen
