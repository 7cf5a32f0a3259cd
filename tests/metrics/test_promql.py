"""PromQL beyond the playbook: a table over one small data set, and refusals."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics import promql
from sim.metrics.promql import PromqlError
from sim.metrics.store import SeriesStore


def data() -> SeriesStore:
    """Per pod a gauge ``g`` = 1..n and a counter ``c`` of 2 a scrape that restarts; a table ``owner``."""
    store = SeriesStore()
    for offset, pod in enumerate("ab"):
        for index in range(21):
            store.append({"__name__": "g", "pod": pod, "zone": "x"}, index * 15.0, index + 100.0 * offset)
            reset = 20 if index >= 18 and pod == "b" else 0
            store.append({"__name__": "c", "pod": pod}, index * 15.0, max(0, index - reset) * 2.0 + reset / 20)
    store.append({"__name__": "owner", "pod": "a", "team": "red"}, 300.0, 1.0)
    store.append({"__name__": "owner", "pod": "b", "team": "blue"}, 300.0, 1.0)
    store.append({"__name__": "early"}, -90.0, 7.0)
    for t_s in (285.0, 300.0):
        store.append({"__name__": "d", "pod": "a"}, t_s, 1.0)
    return store


STORE = data()

TABLE = [
    ("1 + 2 * 3 ^ 2 % 5", {(): 4.0}),
    ("-2 ^ 2", {(): -4.0}),
    ("1 / 0", {(): math.inf}),
    ("0 / 0", {(): math.nan}),
    ("time()", {(): 300.0}),
    ("vector(3) > bool 2", {(): 1.0}),
    ("scalar(g{pod='a'})", {(): 20.0}),
    ("scalar(g)", {(): math.nan}),
    ("sum(g)", {(): 140.0}),
    ("avg(g)", {(): 70.0}),
    ("min(g) + max(g)", {(): 140.0}),
    ("count by (zone) (g)", {("x",): 2.0}),
    ("sum without (pod) (g)", {("x",): 140.0}),
    ("stddev(g)", {(): 50.0}),
    ("quantile(0.25, g)", {(): 45.0}),
    ("group(g)", {(): 1.0}),
    ('count_values("v", owner)', {("1",): 2.0}),
    ("topk(1, g) * 1", {("b", "x"): 120.0}),
    ("bottomk(1, g) * 1", {("a", "x"): 20.0}),
    ("g > 50", {("g", "b", "x"): 120.0}),
    ("50 < g", {("g", "b", "x"): 120.0}),
    ("g == on(pod) g", {("a",): 20.0, ("b",): 120.0}),
    ("g * on(pod) group_left(team) owner", {("a", "red", "x"): 20.0, ("b", "blue", "x"): 120.0}),
    ("owner * on(pod) group_right(team) g", {("a", "red", "x"): 20.0, ("b", "blue", "x"): 120.0}),
    ("g / ignoring(zone) c{pod='a'}", {("a",): 0.5}),
    ("g unless on(pod) owner{team='red'}", {("g", "b", "x"): 120.0}),
    ("g and on(pod) owner{team='red'}", {("g", "a", "x"): 20.0}),
    ("sum(nothing) or vector(0)", {(): 0.0}),
    ("g{pod!='a', zone=~'x|y', pod!~'c.*'} * 1", {("b", "x"): 120.0}),
    ("g{pod=~'.'} offset 1m", {("g", "a", "x"): 16.0, ("g", "b", "x"): 116.0}),
    ("g{pod='a'} @ 150", {("g", "a", "x"): 10.0}),
    ("g @ -9e18", {}),
    ("early @ -60 + time() * 0", {(): 7.0}),
    ("rate(g[5m] @ 9e18) or count_over_time(g[5m] @ -9e18)", {}),
    ("count_over_time(g{pod='a'}[200y])", {("a", "x"): 21.0}),
    ("avg_over_time(g{pod='a'}[1m])", {("a", "x"): 18.5}),
    ("max_over_time(g{pod='a'}[1m] offset 1m)", {("a", "x"): 16.0}),
    ("quantile_over_time(0.5, g{pod='a'}[1m])", {("a", "x"): 18.5}),
    ("last_over_time(g{pod='a'}[1m])", {("g", "a", "x"): 20.0}),
    ("absent(nothing{a='b', c=~'d'})", {("b",): 1.0}),
    ("absent(g)", {}),
    ("absent_over_time(nothing[5m])", {(): 1.0}),
    ("deriv(g{pod='a'}[2m])", {("a", "x"): 1 / 15}),
    ("predict_linear(g{pod='a'}[2m], 150)", {("a", "x"): 30.0}),
    ("delta(g{pod='a'}[1m])", {("a", "x"): 4.0}),
    ("idelta(g{pod='a'}[1m])", {("a", "x"): 1.0}),
    ("irate(c{pod='a'}[1m])", {("a",): 2 / 15}),
    ("increase(c{pod='a'}[1m])", {("a",): 8.0}),
    ("resets(c[5m])", {("a",): 0.0, ("b",): 1.0}),
    ("changes(owner[5m])", {("a", "red"): 0.0, ("b", "blue"): 0.0}),
    ("max_over_time(sum(g)[1m:15s])", {(): 140.0}),
    ("sum_over_time(vector(1)[2m:])", {(): 2.0}),
    ("label_replace(g{pod='a'}, 'p', 'pod-$1', 'pod', '(.*)') * 1", {("pod-a", "a", "x"): 20.0}),
    ("label_join(g{pod='a'}, 'p', '/', 'pod', 'zone') * 1", {("a/x", "a", "x"): 20.0}),
    ("clamp_max(g{pod='b'}, 7) + round(vector(2.5)) * 0", {}),
    ("clamp(g{pod='b'}, 1, 7)", {("b", "x"): 7.0}),
    ("clamp(vector(-Inf), 2, NaN)", {(): 2.0}),
    ("minute(vector(Inf)) + year(vector(NaN))", {(): 30.0 + 292277026596}),
    ("year(vector(-62167219201)) + days_in_month(vector(951782400))", {(): -1 + 29.0}),
    ("stddev(vector(Inf))", {(): math.nan}),
    ("min_of(3, 2) + max_of(3, 2)", {(): 5.0}),
    ("histogram_fraction(0, 1, label_replace(vector(4), 'le', '+Inf', '', ''))", {(): 0.0}),
    ("g{pod='a'} + fill_right(5) g{pod='b'}", {("a", "x"): 25.0}),
    ("sum(limitk(1, g))", {(): 20.0}),
    ("sum_over_time(g{pod='a'}[1m]) % first_over_time(g{pod='a'}[1m])", {("a", "x"): 6.0}),
    ("mad_over_time(g{pod='a'}[1m])", {("a", "x"): 1.0}),
    ("ts_of_max_over_time(g{pod='a'}[1m]) - ts_of_min_over_time(g{pod='a'}[1m])", {("a", "x"): 45.0}),
    ("double_exponential_smoothing(g{pod='a'}[1m], 0.5, 0.5)", {("a", "x"): 20.0}),
    ("holt_winters(g{pod='a'}[1m], 0.5, 0.5)", {("a", "x"): 20.0}),
    ("g{pod='a'} @ 37.5 smoothed * 1", {("a", "x"): 2.5}),
    ("g{pod='a'} smoothed offset 7s * 1", {("a", "x"): 20.0 - 7 / 15}),
    ("{pod='a', zone='x'} smoothed * 1", {("a", "x"): 20.0}),
    ("early smoothed", {}),
    ("delta(g{pod='a'}[1m] smoothed)", {("a", "x"): 4.0}),
    ("rate(c{pod='a'}[40s] anchored)", {("a",): 6.0 / 40}),
    ("increase(c{pod='b'}[2m] smoothed)", {("b",): 11.0}),
    ("changes(g{pod=~'a'}[1m] anchored) + resets(g{}[1m] anchored)", {("a", "x"): 4.0}),
    ("label_replace(vector(1), 'anchored', 'smoothed', '', '')", {("smoothed",): 1.0}),
    ("g{pod=~'(?i)A'} * 1", {("a", "x"): 20.0}),
    ("round(vector(2.5))", {(): 3.0}),
    ("round(vector(2.34), 0.5)", {(): 2.5}),
    ("sgn(vector(-3)) + ln(vector(1)) + exp(vector(0))", {(): 0.0}),
    ("timestamp(owner{pod='a'})", {("a", "red"): 300.0}),
    ("hour(vector(7200)) + month(vector(0))", {(): 3.0}),
    ("histogram_quantile(0.5, nothing)", {}),
    ("histogram_quantile(2, label_replace(g, 'le', '+Inf', '', ''))", {("a", "x"): math.inf, ("b", "x"): math.inf}),
]


def outcome(query: str, at_s: float = 300.0, dialect: str = "3") -> dict[tuple[str, ...], float]:
    """Label values in order of their names -> value."""
    value = promql.query(STORE, query, at_s, dialect)
    if not isinstance(value, list):
        return {(): value}
    return {tuple(labels[name] for name in sorted(labels)): number for labels, number in value}


@pytest.mark.parametrize(("query", "expected"), [pytest.param(*row, id=row[0]) for row in TABLE])
def test_instant_queries(query: str, expected: dict[tuple[str, ...], float]) -> None:
    assert outcome(query) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("query", "two", "three"),
    [
        pytest.param("count_over_time(g{pod='a'}[1m])", 5.0, 4.0, id="a minute holds 5 or 4 samples"),
        pytest.param("rate(g{pod='a'}[15s])", 1 / 15, None, id="one spacing holds 2 samples or 1"),
        pytest.param("count_over_time(g{pod='a'}[1m:15s])", 5.0, 4.0, id="subqueries follow the same rule"),
    ],
)
def test_left_edge_of_windows_depends_on_the_dialect(query: str, two: float, three: float | None) -> None:
    assert outcome(query, dialect="2") == pytest.approx({("a", "x"): two})
    assert outcome(query, dialect="3") == ({} if three is None else pytest.approx({("a", "x"): three}))


def only(store: SeriesStore, query: str, at_s: float) -> float:
    value = promql.query(store, query, at_s, "2")
    assert isinstance(value, list)
    assert len(value) == 1
    return value[0][1]


def test_extrapolation_stops_half_a_spacing_beyond_a_series_that_began_inside_the_window() -> None:
    store = SeriesStore()
    for index in range(5):
        store.append({"__name__": "c"}, 200.0 + index * 10.0, 100.0 + index)
    # 4 in 40 s; 5 s more on the left (half a spacing), 10 s more to the right edge.
    assert only(store, "increase(c[100s])", 250.0) == pytest.approx(4.0 * 55 / 40)


def test_a_counter_is_not_extrapolated_below_zero() -> None:
    store = SeriesStore()
    for index in range(5):
        store.append({"__name__": "c"}, 200.0 + index * 10.0, float(index))
    assert only(store, "increase(c[100s])", 250.0) == pytest.approx(4.0 * 50 / 40)


def test_a_counter_reset_counts_from_zero() -> None:
    store = SeriesStore()
    for index, value in enumerate((10.0, 14.0, 2.0, 5.0)):
        store.append({"__name__": "c"}, index * 10.0, value)
    assert only(store, "increase(c[30s])", 30.0) == pytest.approx(9.0)


@pytest.mark.parametrize(
    ("counts", "q", "expected"),
    [
        pytest.param({"1": 10.0, "2": 8.0, "+Inf": 12.0}, 0.9, 2.0, id="decreasing counts are raised"),
        pytest.param({"1": 10.0, "2": 10.0}, 0.5, math.nan, id="without +Inf there is no answer"),
        pytest.param({"+Inf": 10.0}, 0.5, math.nan, id="one bucket is none"),
        pytest.param({"1": 0.0, "+Inf": 0.0}, 0.5, math.nan, id="no observation"),
        pytest.param({"1": 5.0, "+Inf": 10.0}, 0.9, 1.0, id="in +Inf: the highest bound"),
        pytest.param({"1": 10.0, "+Inf": 10.0}, 0.5, 0.5, id="the lowest bucket starts at 0"),
        pytest.param({"-1": 10.0, "+Inf": 10.0}, 0.5, -1.0, id="a negative lowest bound is itself"),
        pytest.param({"1": 10.0, "+Inf": 10.0}, -0.1, -math.inf, id="below 0"),
        pytest.param({"1": 10.0, "x": 5.0, "+Inf": 10.0}, 1.0, 1.0, id="a bound that is no number is ignored"),
    ],
)
def test_histogram_quantile(counts: dict[str, float], q: float, expected: float) -> None:
    store = SeriesStore()
    for bound, count in counts.items():
        store.append({"__name__": "h", "le": bound}, 1.0, count)
    assert only(store, f"histogram_quantile({q}, h)", 1.0) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        pytest.param("sum(", "unclosed left parenthesis", id="unbalanced"),
        pytest.param("rate(x)", "expected type matrix", id="rate of an instant vector"),
        pytest.param('x{a~"5.*"}', "", id="~ is no matcher"),
        pytest.param("x[$__rate_interval]", "unexpected character", id="a dashboard's variable"),
        pytest.param("histogram_avg(x)", "native histograms, which are not modelled", id="native histograms"),
        pytest.param("sum(start_timestamp(x))", "start_timestamp is not modelled", id="inside other expressions"),
        pytest.param("nofunc(x)", "unknown function", id="unknown function"),
        pytest.param("", "", id="empty"),
        pytest.param("(" * 201 + "1" + ")" * 201, "nested more than 200 levels", id="brackets a little too deep"),
        pytest.param("(" * 3000 + "1" + ")" * 3000, "nested more than 200 levels", id="brackets far too deep"),
        pytest.param("1" + "+1" * 3000, "nested more than 200 levels", id="a long sum"),
        pytest.param("abs(" * 1500 + "g" + ")" * 1500, "nested more than 200 levels", id="calls far too deep"),
        pytest.param(
            "abs(" * 20000 + "g" + ")" * 20000, "more than 10000 characters", id="longer than the grammar bears"
        ),
    ],
)
def test_check_names_what_is_wrong(query: str, reason: str) -> None:
    found = promql.check(query)
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        pytest.param("g * on(zone) g", "many-to-many matching not allowed", id="duplicates on the one side"),
        pytest.param(
            "g * on(zone) g{pod='a'}", "many-to-one matching must be explicit", id="duplicates on the many side"
        ),
        pytest.param("g[1m]", "range vector", id="a range is no result"),
        pytest.param("topk(NaN, g)", "NaN", id="not a count"),
        pytest.param("max_over_time(g[1m] smoothed)", "smoothed modifier can only be used with: delta", id="smoothed"),
        pytest.param(
            "max_over_time(g[1m] anchored)", "anchored modifier can only be used with: changes", id="anchored"
        ),
        pytest.param("absent_over_time(g[1m] anchored)", "anchored modifier can only be used with", id="no function"),
        pytest.param("topk(1e30, g)", "overflows", id="more than can be counted"),
        pytest.param("double_exponential_smoothing(g[1m], 1, 0.5)", "smoothing factor", id="smoothing of one"),
        pytest.param("label_replace(g, 'pod', '', 'pod', '.*')", "same labelset", id="labels made equal"),
        pytest.param("g{pod=~'('}", "regex", id="pattern"),
        pytest.param("rate({__name__=~'c|d'}[1m])", "same labelset", id="names dropped"),
    ],
)
def test_evaluation_errors(query: str, reason: str) -> None:
    with pytest.raises(PromqlError, match=reason):
        promql.query(STORE, query, 300.0)


def test_names_are_dropped_by_each_function_or_at_the_end_of_the_query() -> None:
    query = "count(rate({__name__=~'c|d'}[1m]))"
    assert outcome(query) == {(): 3.0}
    assert outcome("label_replace(rate(d[1m]), '__name__', 'rate_$1', '__name__', '(.*)')") == {("rate_d", "a"): 0.0}
    with pytest.raises(PromqlError, match="same labelset"):
        outcome(query, dialect="2")


@pytest.mark.parametrize(
    ("version", "dialect"),
    [
        ("2", "2"),
        ("2.53.3", "2"),
        ("2.42", "2.42"),
        ("2.42.0", "2.42"),
        ("2.50.1", "2.42"),
        ("2.51.0", "2"),
        ("3", "3"),
        ("3.5.3", "3.5"),
        ("3.9.1", "3"),
        ("4", "3"),
    ],
)
def test_dialect_of_a_release(version: str, dialect: str) -> None:
    assert promql.dialect_of(version) == dialect


def test_an_unknown_dialect_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="dialect"):
        promql.query(STORE, "g", 300.0, "1")


WORDS = st.sampled_from(
    [
        "g",
        "c",
        "sum",
        "rate",
        "by",
        "on",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "1m",
        ":",
        "=",
        "=~",
        '"a"',
        ",",
        "/",
        "or",
        "offset",
        "@",
        "-",
        "5",
        "le",
        "histogram_quantile",
        "topk",
        "bool",
        ">",
        "absent",
        "label_replace",
        "0.9",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=12).map(" ".join)))
def test_any_text_evaluates_or_is_refused(text: str) -> None:
    if promql.check(text) is None:
        try:
            promql.evaluate_at(STORE, text, 300.0)
        except PromqlError:
            assert promql.check(text) is None
    else:
        with pytest.raises(PromqlError):
            promql.query(STORE, text, 300.0)


def test_five_playbook_sized_queries_are_quick() -> None:
    store = SeriesStore()
    for pod in range(12):
        for bound in range(12):
            labels = {"__name__": "b", "pod": str(pod), "le": str(bound)}
            for index in range(40):
                store.append(labels, index * 15.0, float(index * bound))
    query = "histogram_quantile(0.9, sum by (le) (rate(b[5m])))"
    promql.query(store, query, 590.0)
    best = min(_elapsed(store, query) for _ in range(5))
    assert best < 0.02  # about a twentieth of it when nothing else runs


def _elapsed(store: SeriesStore, query: str) -> float:
    begun = time.perf_counter()
    promql.query(store, query, 595.0)
    return time.perf_counter() - begun
