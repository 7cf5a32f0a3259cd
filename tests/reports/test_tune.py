from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reports
from reports.figures import pareto, style
from reports.outcome import Outcome
from reports.statistics import NOTHING, Estimate
from reports.tune import words
from reports.tune.card import Claim
from reports.tune.front import Point, dominates, front, knee
from reports.tune.measures import Kinds, read_constraint, read_measure, read_objective
from sim.model.kpis import Kpi
from sim.model.records import Verdict
from sim.study import Stratum
from tests.reports.tunings import ASKED, FRONT, STRATA, tuning

GOOD, BAD = STRATA


def outcome(**values: float | None) -> Outcome:
    return Outcome(Verdict.PROMOTED, "", True, tuple((kpi, values.get(kpi.value)) for kpi in Kpi))


def detections(*minutes: float | None) -> Kinds:
    return {GOOD: [outcome()] * len(minutes), BAD: [outcome(time_to_detect=value) for value in minutes]}


@pytest.mark.parametrize(
    ("text", "text_of_measure", "maximise"),
    [
        ("failed_requests", "failed_requests", False),
        ("deployment_duration:max", "deployment_duration", True),
        ("deployment_duration@good:p95", "deployment_duration@good:p95", False),
        ("time_to_detect:p99:min", "time_to_detect:p99", False),
    ],
)
def test_objectives_are_read(text: str, text_of_measure: str, maximise: bool) -> None:
    objective = read_objective(text, STRATA)
    assert (objective.measure.text, objective.maximise) == (text_of_measure, maximise)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("false_abort_rate<1%", 0.01),
        ("false_abort_rate <= 0.02", 0.02),
        ("time_to_detect@errors-5:p99<90s", 1.5),
        ("lead_time<30m", 0.5),
        ("failed_requests < 2000", 2000.0),
    ],
)
def test_limits_are_in_the_indicators_unit(text: str, limit: float) -> None:
    assert read_constraint(text, STRATA).limit == limit


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("speed", "speed is no indicator"),
        ("fail_requests", "did you mean failed_requests"),
        ("deployment_frequency", "follows from deployment_duration"),
        ("failed_requests@ugly", "releases here: good, errors-5"),
        ("failed_requests:p42", "is not among mean, p50"),
        ("failed_requests:p95", "a quantile is of one kind of release"),
        ("miss_rate:p95", "has no quantiles"),
        ("miss_rate@good", "applies to bad releases, and good is none"),
    ],
)
def test_what_is_no_measure_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_measure(text, STRATA)


def test_a_measure_that_applies_to_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="miss_rate applies to bad releases, and there is none"):
        read_measure("miss_rate", (GOOD,))


@pytest.mark.parametrize(
    ("minutes", "met"),
    [
        pytest.param([1.0] * 400, True, id="all of many"),
        pytest.param([1.0] * 20, None, id="all of few"),
        pytest.param([1.0] * 390 + [3.0] * 10, False, id="a few too many late"),
        pytest.param([3.0] * 4, False, id="none of four"),
        pytest.param([None] * 4, None, id="nothing to detect"),
    ],
)
def test_a_quantile_is_kept_if_the_share_that_keeps_to_it_is(minutes: list[float | None], met: bool | None) -> None:
    assert read_constraint("time_to_detect@errors-5:p99<2m", STRATA).met(detections(*minutes), 0.95) is met


def test_the_violation_is_a_share_of_the_limit_and_never_nothing_at_the_limit() -> None:
    constraint = read_constraint("time_to_detect@errors-5<2m", STRATA)
    assert constraint.violation(constraint.measure.estimate(detections(3.0, 3.0), 0.95)) == 0.5
    assert constraint.violation(constraint.measure.estimate(detections(1.0, 1.0), 0.95)) == 0
    assert constraint.violation(constraint.measure.estimate(detections(2.0, 2.0), 0.95)) > 0
    assert constraint.violation(NOTHING) == 1


def test_quantiles_have_the_order_statistics_as_ends_or_none() -> None:
    measure = read_measure("time_to_detect@errors-5:p50", STRATA)
    found = measure.estimate(detections(*map(float, range(101))), 0.95)
    assert found.mean == 50
    assert found.lo is not None and found.hi is not None  # noqa: PT018
    assert 38 < found.lo < 42
    assert 58 < found.hi < 62
    few = read_measure("time_to_detect@errors-5:p99", STRATA).estimate(detections(1.0, 2.0, 3.0), 0.95)
    assert (few.mean, few.hi) == (3.0, None)


def test_differences_are_paired_over_what_both_have() -> None:
    measure = read_measure("time_to_detect@errors-5", STRATA)
    found = measure.difference(detections(1.0, 2.0, 3.0), detections(2.0, 3.0), 0.95)
    assert found == Estimate(-1.0, -1.0, -1.0, 2)


POINTS = st.lists(st.tuples(st.integers(0, 6).map(float), st.integers(0, 6).map(float)), max_size=20)


@given(POINTS)
def test_the_front_is_what_nothing_dominates_and_dominates_the_rest(points: list[Point]) -> None:
    best = [points[index] for index in front(points)]
    assert not any(dominates(a, b) for a, b in product(best, best))
    assert all(point in best or any(dominates(one, point) for one in best) for point in points)
    assert len(set(best)) == len(best)


def test_the_knee_is_where_giving_up_a_little_buys_no_more() -> None:
    assert knee([(0.0, 10.0), (1.0, 2.0), (2.0, 1.5), (10.0, 0.0)]) in {1, 2}
    assert knee([(5.0, 5.0)]) == 0
    assert knee([]) is None


def test_the_text_says_choice_claims_trades_values_and_method() -> None:
    text = reports.render_tuning(tuning(), "text")
    for part in (
        "Chosen: setting 3 (search), one of 4 settings that none betters in everything",
        "kept: time_to_detect@errors-5:p99<2m: 1.4 min (1.3 .. 1.5), in 381 of 381 replications; as written: broken",
        "kept: false_abort_rate<1%: 0 % (0 .. 1); as written: undecided",
        "Its neighbour, setting 4, would better failed requests (errors-5) by 15",
        "at the cost of 3.5 min of deployment (good)",
        "canary.steps[1].pause              2m  →  13s",
        "not in any file, so not in the patch: --set people.notice.median=1m",
        "refused 1 times: InvalidSpec: too long",
        "no choice was made by",
    ):
        assert part in " ".join(text.split("\n  ")), part
    assert "2 stopped early without doubt; 1 refused" in " ".join(text.split())


def test_a_share_that_was_followed_is_told_with_the_interval_that_decided_it() -> None:
    followed = Claim(ASKED.constraints[1], NOTHING, True, 472, 473, None, Estimate(1 / 473, 0.00001, 0.00999, 473))
    told = words.claim_text(followed)
    assert told == "kept: false_abort_rate<1%: 1 of 473 replications (0.001 .. 0.999 %); as written: undecided"


def test_json_and_markdown_hold_the_whole() -> None:
    data = json.loads(reports.render_tuning(tuning(), "json"))
    assert (data["schema"], data["knee"]["index"], len(data["front"])) == ("rolltwin/tune/v1", 3, 4)
    assert data["held_out"]["measures"]["failed_requests@errors-5"]["after"]["mean"] == 58
    assert data["tried"][-1]["fate"] == "refused"
    markdown = reports.render_tuning(tuning(), "md")
    assert "+        - pause: {duration: 13s}" in markdown
    assert "| canary.steps\\[1\\].pause" in markdown or "| canary.steps[1].pause" in markdown


def test_the_figure_shows_every_setting_once_where_it_belongs() -> None:
    found = pareto.info(tuning())
    assert found.front == tuple(pareto.Spot(one.objectives[0].mean or 0, one.objectives[1].mean or 0) for one in FRONT)
    assert (len(found.infeasible), len(found.stopped), len(found.feasible)) == (2, 1, 0)
    assert (found.knee, found.written) == (pareto.Spot(55, 10.5), pareto.Spot(200, 56))
    assert found.held_knee == pareto.Cross(58.0, 10.6, (56.0, 60.0), (8.6, 12.6))
    assert (found.x_limit, found.y_limit, found.x_log, found.y_log) == (None, None, False, False)
    assert "deployment (good), min (less is better)" in found.y_label


@pytest.mark.parametrize("objectives", [1, 2])
def test_figures_can_be_drawn_of_much_and_of_nothing(objectives: int) -> None:
    whole = tuning()
    asked = replace(ASKED, objectives=ASKED.objectives[:objectives])
    cut = [replace(one, objectives=one.objectives[:objectives]) for one in whole.tried]
    some = replace(whole, asked=asked, tried=tuple(cut), front=(), knee=None, held_out=None, written=cut[0])
    nothing = replace(some, tried=(), written=replace(cut[0], objectives=(NOTHING,) * objectives))
    for found in (whole, some, nothing):
        assert style.svg(pareto.draw(pareto.info(found))).startswith(b"<?xml")
        assert reports.render_tuning(found, "text")


def test_strata_of_the_builder_are_those_of_the_measures() -> None:
    assert all(isinstance(one, Stratum) for one in STRATA)
