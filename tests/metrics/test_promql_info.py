"""info: labels of the target joined to a series."""

from __future__ import annotations

import pytest

from sim.metrics import SeriesStore, promql
from sim.metrics.promql import PromqlError

A = {"instance": "a", "job": "shop"}
B = {"instance": "b", "job": "shop"}


def store() -> SeriesStore:
    """A counter of two targets; the first one's info changed at 60 s, and it has build info too."""
    made = SeriesStore()
    for t_s in (0.0, 30.0, 60.0, 90.0):
        made.append({"__name__": "requests", **A, "team": "own"}, t_s, t_s)
        made.append({"__name__": "requests", **B}, t_s, 2 * t_s)
        made.append({"__name__": "build_info", **A, "commit": "c0ffee"}, t_s, 1.0)
    for t_s, version in ((0.0, "1"), (30.0, "1"), (60.0, "2"), (90.0, "2")):
        made.append({"__name__": "target_info", **A, "version": version, "team": "red"}, t_s, 1.0)
    return made


def answer(query: str, at_s: float = 90.0) -> dict[tuple[str, ...], float]:
    """Label values, but the name's, in order of their names -> value."""
    value = promql.query(store(), query, at_s)
    assert isinstance(value, list)
    return {tuple(labels[name] for name in sorted(labels) if name != "__name__"): number for labels, number in value}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "info(requests)", {("a", "shop", "own", "2"): 90.0, ("b", "shop"): 180.0}, id="its own labels win"
        ),
        pytest.param(
            'info(requests, {version=~".+"})', {("a", "shop", "own", "2"): 90.0}, id="the label must be there"
        ),
        pytest.param(
            'info(requests, {version=~".*"})',
            {("a", "shop", "own", "2"): 90.0, ("b", "shop"): 180.0},
            id="it may be there",
        ),
        pytest.param(
            'info(requests, {version="1"} )', {("a", "shop", "own", "1"): 90.0}, id="an older info still visible"
        ),
        pytest.param(
            'info(requests, {__name__="build_info"})',
            {("c0ffee", "a", "shop", "own"): 90.0, ("b", "shop"): 180.0},
            id="another info metric",
        ),
        pytest.param(
            'info(requests, {__name__=~".+_info"})',
            {("c0ffee", "a", "shop", "own", "2"): 90.0, ("b", "shop"): 180.0},
            id="several info metrics",
        ),
        pytest.param(
            "info(requests @ 45)", {("a", "shop", "own", "1"): 30.0, ("b", "shop"): 60.0}, id="info of that time"
        ),
        pytest.param("info(target_info{version='2'})", {("a", "shop", "red", "2"): 1.0}, id="info itself stays"),
        pytest.param("sum by (version) (info(rate(requests[1m])))", {("2",): 1.0, (): 2.0}, id="of a rate"),
    ],
)
def test_labels_of_the_target(query: str, expected: dict[tuple[str, ...], float]) -> None:
    assert answer(query) == pytest.approx(expected)


def test_two_infos_of_one_instant_are_refused() -> None:
    made = store()
    made.append({"__name__": "target_info", **A, "version": "3"}, 90.0, 1.0)
    with pytest.raises(PromqlError, match="found duplicate series for info metric"):
        promql.query(made, "info(requests)", 90.0)


def test_infos_that_disagree_are_refused() -> None:
    made = store()
    made.append({"__name__": "other_info", **A, "version": "3"}, 80.0, 1.0)
    with pytest.raises(PromqlError, match="conflicting label: version"):
        promql.query(made, 'info(requests, {__name__=~"(target|other)_info"})', 90.0)
