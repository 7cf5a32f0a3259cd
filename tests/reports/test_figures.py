from __future__ import annotations

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure

import reports
from reports import frames
from reports.figures import axis, comparison, detection, style, timeline, verdicts
from reports.scorecard import Score
from sim.model.records import (
    AnalysisRecord,
    DecisionRecord,
    FaultRecord,
    MeasurementRecord,
    PodRecord,
    Record,
    Verdict,
)
from sim.study import Cell
from tests.reports.builders import journal, run_result, scenario, soak, study, traffic, weight
from tests.reports.test_scoring import CAUGHT, MISSED, PASSED, REJECTED, TARGETS, two_cells

ROWS: tuple[Record, ...] = (
    PodRecord(-60.0, "tokyo", "old", "stable", "n", "ready"),
    weight(0.0, 10.0),
    PodRecord(0.0, "tokyo", "new", "candidate", "n", "running"),
    PodRecord(30.0, "tokyo", "new", "candidate", "n", "ready"),
    traffic(60.0, "stable", 90, counts=(90, 0, 0, 0)),
    traffic(60.0, "candidate", 10, 5, counts=(0, 10, 0, 0)),
    AnalysisRecord(60.0, "tokyo", "run-1", "step", "Running", ""),
    MeasurementRecord(60.0, "tokyo", "run-1", "success-rate", "Failed", "0.5", ""),
    FaultRecord(60.0, "tokyo", "errors", "candidate", "began"),
    AnalysisRecord(90.0, "tokyo", "run-1", "step", "Failed", ""),
    DecisionRecord(90.0, "tokyo", "analysis", "abort", "1 > 0"),
    weight(90.0, 0.0),
    traffic(120.0, "stable", 100, counts=(100, 0, 0, 0)),
)
RUN = journal(*ROWS, verdict=Verdict.ABORTED, ended_s=90.0, last_s=180.0, good=False, reason="1 > 0")
EMPTY = journal(verdict=Verdict.REJECTED, ended_s=0.0, reason="The Rollout is invalid")


def test_the_timelines_info() -> None:
    found = timeline.info(RUN)
    assert (found.title, found.subtitle) == ("Canary as written: release broken (bad): aborted", "1 > 0")
    assert found.axis == axis.Axis((-2.0, 3.0))
    assert found.weights == (timeline.Line("tokyo", "candidate", (0.0, 1.5, 3.0), (10.0, 0.0, 0.0)),)
    assert found.ready == (
        timeline.Line("candidate ready", "candidate", (0.0, 0.5, 3.0), (0, 1, 1)),
        timeline.Line("stable ready", "stable", (-1.0, 3.0), (1, 1)),
    )
    assert found.other == (timeline.Line("candidate not ready", "candidate", (0.0, 0.5, 3.0), (1, 0, 0)),)
    assert found.errors == (
        timeline.Line("candidate", "candidate", (0.5,), (50.0,)),
        timeline.Line("stable", "stable", (0.5, 1.5), (0.0, 0.0)),
    )
    assert [line.label for line in found.latency] == ["candidate p50", "stable p50", "candidate p99", "stable p99"]
    # Ten answers between 100 and 500 ms: the median is taken to be in their middle.
    assert [round(value) for value in found.latency[0].y] == [300]
    assert found.lanes == ("step run", "success-rate")
    assert found.analyses == (timeline.Span(1.0, 1.5, "step run", bad=True),)
    assert found.measurements == (timeline.Mark(1.0, "success-rate", "0.5", bad=True),)
    assert found.decisions == (timeline.Mark(1.5, "tokyo", "abort (analysis)", bad=True),)
    assert found.faults == (timeline.Span(1.0, 3.0, "errors (candidate)", bad=True),)


def test_long_runs_are_drawn_in_a_bounded_number_of_points() -> None:
    rows = [traffic(5.0 * i, side, 10, width_s=5.0) for i in range(1, 5000) for side in ("stable", "candidate")]
    assert len(frames.traffic(journal(*rows))) <= 2 * 242
    assert frames.traffic(journal(*rows))["requests"].sum() == 2 * 4999 * 10


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        pytest.param((10, 0, 0, 0), 0.5, 0.05, id="middle of the first bucket"),
        pytest.param((5, 5, 0, 0), 0.75, 0.3, id="middle of the second"),
        pytest.param((0, 0, 0, 3), 0.5, 1.0, id="above all: the largest bound"),
        pytest.param((5, 0, 5, 0), 0.5, 0.1, id="at a bound"),
        pytest.param((0, 0, 0, 0), 0.5, None, id="no answers"),
    ],
)
def test_quantiles_of_a_histogram(counts: tuple[int, ...], share: float, expected: float | None) -> None:
    assert frames.quantile(counts, (0.1, 0.5, 1.0), share) == (expected and pytest.approx(expected))


def test_the_verdicts_info_leaves_out_what_never_happens() -> None:
    found = verdicts.info(reports.score(two_cells()))
    assert found.good == (
        verdicts.Row("canary (as written)", ((Verdict.REJECTED, 1.0),)),
        verdicts.Row("canary (corrected)", ((Verdict.PROMOTED, 0.75), (Verdict.ABORTED, 0.25))),
    )
    assert found.bad[1] == verdicts.Row("canary (corrected)", ((Verdict.ABORTED, 0.75), (Verdict.UNDONE, 0.25)))


def test_the_detection_info_keeps_undetected_releases_below_the_curve() -> None:
    found = detection.info(reports.score(two_cells()))
    assert found.panels == (
        ("as written", (detection.Curve("canary", (), (), exposed=False),)),
        ("corrected", (detection.Curve("canary", (2.0,), (75.0,), exposed=True),)),
    )


def test_the_comparison_info_has_a_panel_per_target() -> None:
    found = comparison.info(reports.score(two_cells()), only_targets=True)
    assert [panel.title for panel in found.panels] == ["Deployment duration, min", "Miss rate, %"]
    duration, miss = found.panels
    assert duration.bars == (
        comparison.Bar(None, None, None, lower_bound=False),
        comparison.Bar(10.0, 10.0, 10.0, lower_bound=False),
    )
    assert miss.goals == (comparison.Goal(1.0, "objective", now=True), comparison.Goal(50.0, "year 1", now=False))
    assert miss.bars[1].mean == 25.0


def _scores() -> list[Score]:
    world, bare = scenario(targets=TARGETS), scenario(mix=scenario().mix[:1])
    rejected = [[REJECTED] * 2, [REJECTED] * 2]
    long = "a strategy whose name is far too long to be printed beside any figure"
    return [
        reports.score(two_cells()),
        reports.score(study([(Cell("canary", "", world), rejected)])),
        reports.score(study([(Cell("canary", "", bare), [[PASSED]])])),
        reports.score(study([(Cell(long, "as written", world), [[PASSED] * 2, [CAUGHT, MISSED]])] * 20)),
    ]


KINDS = ["two cells", "all rejected", "no bad releases, no targets, once", "twenty long names"]


@pytest.mark.parametrize("score", [pytest.param(score, id=name) for score, name in zip(_scores(), KINDS, strict=True)])
@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(lambda score: comparison.draw(comparison.info(score, only_targets=True)), id="targets"),
        pytest.param(lambda score: comparison.draw(comparison.info(score, only_targets=False)), id="indicators"),
        pytest.param(lambda score: verdicts.draw(verdicts.info(score)), id="verdicts"),
        pytest.param(lambda score: detection.draw(detection.info(score)), id="detection"),
    ],
)
def test_scores_can_be_drawn(score: Score, figure: Callable[[Score], Figure]) -> None:
    assert b"</svg>" in style.svg(figure(score))


def test_a_drawing_is_the_same_bytes_every_time_and_carries_no_date() -> None:
    first, second = reports.timeline_svg(run_result(RUN)), reports.timeline_svg(run_result(RUN))
    assert first == second
    assert b"<dc:date>" not in first
    # Text is text, so that it can be searched and read aloud.
    assert b"minutes since the release was applied</text>" in first


def test_a_run_in_which_nothing_happened_can_be_drawn() -> None:
    assert b"nothing was measured" in reports.timeline_svg(run_result(EMPTY))


def test_several_regions_are_told_apart() -> None:
    rows = journal(weight(0.0, 5.0), weight(0.0, 0.0, "osaka"), weight(60.0, 100.0, "osaka"))
    assert [line.label for line in timeline.info(rows).weights] == ["osaka", "tokyo"]
    assert b"osaka" in style.svg(timeline.draw(timeline.info(rows)))


@pytest.mark.parametrize(
    ("minutes", "label"),
    [
        pytest.param(30.0, "minutes since the release was applied", id="half an hour"),
        pytest.param(360.0, "hours since the release was applied", id="six hours"),
        pytest.param(20000.0, "days since the release was applied", id="a fortnight"),
    ],
)
def test_the_axis_of_time_has_a_readable_unit(minutes: float, label: str) -> None:
    axes = Figure().subplots()
    axis.apply(axes, axis.Axis((-5.0, minutes)))
    assert axes.get_xlabel() == label
    assert len(axes.get_xticks()) <= 16


def test_soaks_are_cut_short() -> None:
    fortnight = axis.Axis((-5.0, 20200.0), ((15.0, 10080.0), (10100.0, 20180.0)))
    assert fortnight.pieces() == [(-5.0, 15.0), (10080.0, 10100.0), (20180.0, 20200.0)]
    # Three pieces of twenty minutes and two cuts of 7 % of an hour each: 68.4 in all.
    places = [axis.position(fortnight, minute) for minute in (-5.0, 15.0, 10080.0, 10100.0, 20200.0)]
    assert places == pytest.approx([0.0, 20 / 68.4, 24.2 / 68.4, 44.2 / 68.4, 1.0])
    axes = Figure().subplots()
    axis.apply(axes, fortnight)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["0:00", "+5 min", "+10 min", "+15 min", "day 7\n0:00", "+5 min", "+10 min", "+15 min", "+20 min",
                      "day 14\n0:20", "+5 min", "+10 min", "+15 min", "+20 min"]  # fmt: skip


def test_a_soaked_run_is_drawn_with_its_soak() -> None:
    rows = journal(
        weight(0.0, 100.0), traffic(60.0, "candidate", 600), traffic(120.0, "candidate", 600),
        soak(86520.0, "candidate", 864000.0, 0.0, width_s=86400.0), traffic(86580.0, "candidate", 600), ended_s=86580.0,
    )  # fmt: skip
    found = timeline.info(rows)
    assert found.axis.cuts_min == ((2.0, 1442.0),)
    # The line is broken where nothing was simulated.
    assert [repr(value) for value in found.errors[0].y] == ["0.0", "0.0", "nan", "0.0"]
    assert b"not to scale" in style.svg(timeline.draw(found))


def test_bins_with_few_requests_say_nothing() -> None:
    rows = journal(*(traffic(60.0 * i, "candidate", 600) for i in range(1, 6)), traffic(360.0, "candidate", 3, 3))
    assert max(timeline.info(rows).errors[0].y) == 0.0


def test_decisions_in_several_regions_are_named_once() -> None:
    rows = journal(
        *(DecisionRecord(t, region, "argo-cd", "start", "") for t, region in ((0.0, "tokyo"), (5.0, "osaka")))
    )
    assert b"start (argo-cd) tokyo, osaka" in style.svg(timeline.draw(timeline.info(rows)))


def test_indicators_without_targets_are_drawn_apart() -> None:
    found = comparison.info(reports.score(two_cells()), only_targets=False)
    titles = [panel.title for panel in found.panels]
    assert "Time to detect, min" in titles
    assert "Miss rate, %" not in titles
