"""What the figures of a comparison show."""

from __future__ import annotations

import math
from dataclasses import replace

from reports.figures import overview, style, worlds
from reports.figures.axis import Axis
from reports.figures.worlds import Line
from reports.verify.card import Answer
from reports.verify.facts import Facts
from reports.verify.thresholds import TimeLimit
from sim.model.records import Verdict
from tests.reports.worlds import facts, pairing, verification


def test_both_worlds_over_time() -> None:
    found = worlds.info(verification(pairing([facts()] * 20, facts(decided_s=90.0))).pairings[0])
    assert found.title == "canary, errors: pass"
    assert found.subtitle == "cluster: promoted\ntwin: promoted 100 %"
    assert found.axis == Axis((0.0, 100 / 60))
    assert found.weights.cluster == (Line("", (0.0, 10 / 60, 1.0, 100 / 60), (0.0, 20.0, 100.0, 100.0)),)
    (ribbon,) = found.weights.twin
    assert ribbon.x == (0.0, 10 / 60, 1.0, 100 / 60)
    assert ribbon.median == ribbon.low == ribbon.high == (0.0, 20.0, 100.0, 100.0)
    assert [ribbon.side for ribbon in found.pods.twin] == ["candidate", "stable"]
    assert found.failures.cluster[0].y == (0.2,) * 10
    assert [(curve.side, curve.twin, curve.cluster) for curve in found.latency] == [
        ("candidate", (90.0, 100.0), ((90.0, 100.0),)),
        ("stable", (90.0, 100.0), ((90.0, 100.0),)),
    ]
    assert (found.decided_min, found.expected_min) == ((1.5,), (100 / 60, 100 / 60, 100 / 60))


def test_where_most_replications_have_ended_nothing_is_drawn_of_them() -> None:
    short: list[Facts] = [facts() for _ in range(3)]
    long = facts()
    rows = tuple((at, 500.0, 1.0) for at in (110.0, 120.0))
    run = replace(long, last_s=120.0, failures=(*long.failures, *rows))
    found = worlds.info(verification(pairing([*short, run], run)).pairings[0])
    assert [math.isnan(value) for value in found.failures.twin[0].median] == [False] * 10 + [True] * 2
    assert found.failures.cluster[0].y[-1] == 0.2


def test_a_row_a_run_in_the_overview() -> None:
    found = overview.info(
        verification(
            pairing([facts()] * 20, facts(decided_s=90.0), name="good"),
            pairing([facts()] * 20, facts(Verdict.STUCK, None), near=True),
        )
    )
    assert found.rows == (
        overview.Row("good, errors", False, Verdict.PROMOTED, True, Answer.PASS, 90.0, 100.0, 100.0, 100.0),
        overview.Row("canary, errors", True, Verdict.STUCK, False, Answer.FAIL, None, None, None, None),
    )
    assert (found.limit, found.longest_s) == (TimeLimit(), 100.0)


def test_both_are_drawn() -> None:
    found = verification(pairing([facts()] * 20, facts(Verdict.STUCK, None)))
    for figure in (overview.draw(overview.info(found)), worlds.draw(worlds.info(found.pairings[0]))):
        assert style.svg(figure).startswith(b"<?xml")
