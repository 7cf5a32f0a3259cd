from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

import reports
from reports.diff import words
from reports.diff.card import Diff, Mark, Transition
from reports.figures import forest, pair
from reports.figures.axis import Axis
from reports.outcome import Outcome
from reports.scorecard import About
from scenarios.changes import Comparison, WorldChange
from sim.model.behaviour import Release
from sim.model.kpis import Kpi, KpiTarget
from sim.model.records import DecisionRecord, StepRecord, Verdict
from sim.model.scenario import Scenario
from sim.study import Cell
from tests.reports.builders import MIX, STABLE, journal, outcome, run_result, scenario, study, traffic, weight
from tests.reports.test_scoring import CAUGHT, MISSED, PASSED, REJECTED, STOPPED

Cuts = tuple[tuple[float, float], ...]

LIMIT = 'Metric "errors" assessed Failed due to failed (1) > failureLimit (0)'


def compared(old: Scenario, new: Scenario, **given: object) -> Comparison:
    plain = Comparison(("a", "b"), old, new, (), (), (), (), "", same=False)
    return replace(plain, **given)  # type: ignore[arg-type]  # fields by name


def diffed(
    old: Sequence[Sequence[Outcome]],
    new: Sequence[Sequence[Outcome]],
    *,
    worlds: tuple[Scenario, Scenario] | None = None,
    looks: tuple[int, ...] = (4,),
    **given: object,
) -> Diff:
    before, after = worlds or (scenario(), scenario())
    found = study([(Cell("old", "", before), old), (Cell("new", "", after), new)])
    return reports.diff(found, compared(before, after, **given), looks, About(), "rolltwin diff a b --replay")


def changed(found: Diff) -> list[tuple[str, Verdict, Verdict, int, int]]:
    return [(item.release, item.old, item.new, item.count, item.of) for item in found.changed]


def mark(found: Diff, kpi: Kpi) -> Mark:
    return next(effect.mark for effect in found.effects if effect.kpi is kpi)


def test_decisions_are_counted_by_kind_and_the_harmful_ones_come_first() -> None:
    found = diffed(
        [[PASSED, PASSED, STOPPED, STOPPED], [CAUGHT, CAUGHT, CAUGHT, MISSED]],
        [[PASSED, STOPPED, PASSED, PASSED], [MISSED, CAUGHT, CAUGHT, CAUGHT]],
    )
    assert changed(found) == [
        ("steady", Verdict.PROMOTED, Verdict.ABORTED, 1, 4),
        ("broken", Verdict.ABORTED, Verdict.UNDONE, 1, 4),
        ("steady", Verdict.ABORTED, Verdict.PROMOTED, 2, 4),
        ("broken", Verdict.UNDONE, Verdict.ABORTED, 1, 4),
    ]
    assert found.worse
    assert words.unchanged_text(found, "broken") == "2 aborted"


def test_the_seed_of_a_change_is_that_of_its_first_pair() -> None:
    found = diffed([[PASSED] * 3, [CAUGHT] * 3], [[PASSED] * 3, [CAUGHT, MISSED, MISSED]])
    (item,) = found.changed
    assert isinstance(item, Transition)
    seeds = study([(Cell("", "", scenario()), [[PASSED] * 3, [CAUGHT] * 3])]).cells[0].strata[1].seeds
    assert item.seed == seeds[1]
    assert words.replay_text(found, item) == f"rolltwin diff a b --replay broken:{seeds[1]}"


@pytest.mark.parametrize(
    ("old", "new", "worse"),
    [
        pytest.param(STOPPED, PASSED, False, id="a-good-release-let-through"),
        pytest.param(PASSED, replace(PASSED, verdict=Verdict.STUCK), True, id="a-good-release-stuck"),
        pytest.param(PASSED, replace(PASSED, verdict=Verdict.UNDONE), True, id="a-good-release-undone"),
        pytest.param(STOPPED, replace(STOPPED, verdict=Verdict.STUCK), False, id="stopped-otherwise"),
    ],
)
def test_what_counts_as_worse(old: Outcome, new: Outcome, worse: bool) -> None:
    assert diffed([[old] * 2, [CAUGHT] * 2], [[old, new], [CAUGHT] * 2]).worse is worse


def value(number: float | None, *bounds: Kpi) -> Outcome:
    return outcome(Verdict.ABORTED, good=False, values={Kpi.TIME_TO_DETECT: number}, bounds=bounds)


DETECT = (Kpi.TIME_TO_DETECT,)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param([value(2), value(3)], [value(3), value(4.01)], Mark.WORSE, id="longer"),
        pytest.param([value(2), value(3)], [value(1), value(2.01)], Mark.BETTER, id="shorter"),
        pytest.param([value(2), value(3)], [value(2), value(3)], Mark.EQUAL, id="equal"),
        pytest.param([value(200), value(300)], [value(200.1), value(300.11)], Mark.LITTLE, id="a-little-longer"),
        pytest.param([value(2), value(3)], [value(1), value(4)], Mark.UNDECIDED, id="now-so-now-so"),
        pytest.param([value(2)], [value(9)], Mark.UNDECIDED, id="one-run"),
        pytest.param([value(2)], [value(2)], Mark.UNDECIDED, id="one-equal-run"),
        pytest.param([value(2), value(3)], [value(None), value(None)], Mark.NO_DATA, id="never-both"),
        pytest.param([value(None), value(None)], [value(None), value(None)], Mark.NO_DATA, id="never"),
        pytest.param(
            [value(2), value(3)], [value(3, *DETECT), value(4.01, *DETECT)], Mark.WORSE, id="at-least-so-much-longer"
        ),
        pytest.param(
            [value(3, *DETECT), value(4.01, *DETECT)], [value(2), value(3)], Mark.BETTER, id="at-least-so-much-shorter"
        ),
        pytest.param(
            [value(2, *DETECT), value(3, *DETECT)], [value(3), value(4.01)], Mark.UNDECIDED, id="longer-than-a-bound"
        ),
        pytest.param(
            [value(3), value(4.01)], [value(2, *DETECT), value(3, *DETECT)], Mark.UNDECIDED, id="shorter-but-a-bound"
        ),
        pytest.param(
            [value(2, *DETECT), value(3, *DETECT)],
            [value(2, *DETECT), value(3, *DETECT)],
            Mark.EQUAL,
            id="equal-bounds",
        ),
    ],
)
def test_what_can_be_said_of_an_indicator(old: list[Outcome], new: list[Outcome], expected: Mark) -> None:
    same = [PASSED] * len(old)
    assert mark(diffed([same, old], [same, new]), Kpi.TIME_TO_DETECT) is expected
    mirrored = {Mark.WORSE: Mark.BETTER, Mark.BETTER: Mark.WORSE}.get(expected, expected)
    assert mark(diffed([same, new], [same, old]), Kpi.TIME_TO_DETECT) is mirrored


def test_more_of_a_good_thing_is_better() -> None:
    slow, fast = (
        [outcome(Verdict.PROMOTED, values={Kpi.DEPLOYMENT_DURATION: 10.0}, occupancy_s=s + n) for n in range(40)]
        for s in (7200.0, 600.0)
    )
    caught = [CAUGHT] * 40
    found = diffed([slow, caught], [fast, caught])
    effect = next(effect for effect in found.effects if effect.kpi is Kpi.DEPLOYMENT_FREQUENCY)
    assert effect.mark is Mark.BETTER
    mean = effect.difference.mean
    assert mean is not None
    assert mean == pytest.approx((effect.new.estimate.mean or 0.0) - (effect.old.estimate.mean or 0.0))
    assert mark(diffed([slow, caught], [slow, caught]), Kpi.DEPLOYMENT_FREQUENCY) is Mark.EQUAL


def test_looking_thrice_widens_the_intervals() -> None:
    once, thrice = (
        diffed(
            [[PASSED] * 4, [value(n) for n in range(4)]], [[PASSED] * 4, [value(2 * n) for n in range(4)]], looks=looks
        )
        for looks in ((4,), (1, 2, 4))
    )
    assert thrice.effort.level == pytest.approx(1 - 0.05 / 3)
    widths = [
        (effect.difference.hi or 0.0) - (effect.difference.lo or 0.0)
        for found in (once, thrice)
        for effect in found.effects
        if effect.kpi is Kpi.TIME_TO_DETECT
    ]
    assert widths[0] < widths[1]


def stopped(verdict: Verdict, reason: str, step: str, ended_s: float = 60.0) -> Outcome:
    return replace(outcome(verdict, good=False, reason=reason), step=step, ended_s=ended_s)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param((LIMIT, "step 2 (pause 3m)"), (LIMIT, "step 2 (pause 1m)"), None, id="a-shorter-pause"),
        pytest.param((LIMIT, ""), (LIMIT.replace("(0)", "(2)"), ""), None, id="another-limit"),
        pytest.param(("ReplicaSet a-0123456789 timed out", ""), ("ReplicaSet a-abcdef0123 timed out", ""), None, id="hash"),
        pytest.param(
            (LIMIT, ""), (LIMIT.replace("errors", "p99"), ""), ("gate errors (Failed)", "gate p99 (Failed)"), id="a-gate"
        ),
        pytest.param(
            (LIMIT, "step 2 (pause 3m)"), (LIMIT, "step 4 (pause 3m)"),
            ("gate errors (Failed) in step 2 (pause 3m)", "gate errors (Failed) in step 4 (pause 3m)"), id="a-step",
        ),
        pytest.param(("timed out", ""), (LIMIT, ""), ("timed out", "gate errors (Failed)"), id="no-gate"),
    ],
)  # fmt: skip
def test_which_gate_stopped_it_and_where(
    old: tuple[str, str], new: tuple[str, str], expected: tuple[str, str] | None
) -> None:
    before, after = (stopped(Verdict.ABORTED, *side) for side in (old, new))
    found = diffed([[PASSED], [before]], [[PASSED], [after]])
    assert [(item.old, item.new) for item in found.relocations] == ([] if expected is None else [expected])


def test_times_are_compared_where_the_verdict_is_the_same() -> None:
    old = [stopped(Verdict.ABORTED, LIMIT, "", 60.0 * n) for n in (1, 2, 3)]
    new = [stopped(Verdict.ABORTED, LIMIT, "", 60.0 * n) for n in (2, 3)] + [MISSED]
    (timing,) = diffed([[PASSED] * 3, old], [[PASSED] * 3, new]).timings
    assert (timing.release, timing.old_min, timing.new_min) == ("broken", 1.5, 2.5)
    assert words.timing_text(timing) == "broken aborted after 1.5 min → 2.5 min: +1 min (+1 .. +1)"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(PASSED, REJECTED, "NEW IS REFUSED: no release would start any more. invalid", id="new"),
        pytest.param(REJECTED, PASSED, "OLD is refused, NEW is accepted: no release ever started. invalid", id="old"),
        pytest.param(REJECTED, REJECTED, "Both versions are refused. invalid", id="both"),
    ],
)
def test_a_refusal_comes_first(old: Outcome, new: Outcome, said: str) -> None:
    found = diffed([[old] * 2, [old] * 2], [[new] * 2, [new] * 2], world=(WorldChange("slo", "99%", "98%"),))
    assert words.headlines(found)[0] == said
    assert words.headlines(found)[1].startswith("NOT THE SAME WORLD: 1 field differs")


def test_targets_newly_met_or_missed() -> None:
    target = KpiTarget(Kpi.DEPLOYMENT_DURATION, "objective", 15.0)
    world = scenario(targets=(target,))
    slow = outcome(Verdict.PROMOTED, values={Kpi.DEPLOYMENT_DURATION: 20.0})
    found = diffed([[PASSED] * 4, [CAUGHT] * 4], [[slow] * 4, [CAUGHT] * 4], worlds=(world, world))
    assert [words.target_text(item) for item in found.targets] == [
        "Deployment duration < 15 min (objective): newly missed"
    ]
    assert "Targets newly missed: deployment duration < 15 min." in words.headlines(found)


def test_only_kinds_of_release_of_both_worlds_are_compared() -> None:
    other = (MIX[1], Release("odd", good=True, share=0.5, behaviour=STABLE))
    found = diffed([[PASSED] * 2, [CAUGHT] * 2], [[CAUGHT] * 2, [PASSED] * 2], worlds=(scenario(), scenario(mix=other)))
    assert words.kinds(found) == (("broken", False, 2),)
    assert found.left_out == ("steady", "odd")


def test_nothing_in_common_is_refused() -> None:
    other = (Release("odd", good=True, share=0.5, behaviour=STABLE),)
    with pytest.raises(ValueError, match="no kind of release in common"):
        diffed([[PASSED], [CAUGHT]], [[PASSED]], worlds=(scenario(), scenario(mix=other)))


def test_equal_pairs_are_no_change_in_words() -> None:
    equal = [[PASSED] * 2, [CAUGHT] * 2]
    assert words.headlines(diffed(equal, equal, same=True)) == (
        "No change: the model reads nothing that was changed, and all 4 pairs of replays are equal.",
    )
    assert words.headlines(diffed([[PASSED], [CAUGHT]], [[PASSED], [CAUGHT]], same=True))[0].startswith("No change:")
    assert words.headlines(diffed(equal, equal)) == (
        "No change in decisions or indicators: all 4 pairs of replays are equal.",
    )


@pytest.mark.parametrize("form", reports.FORMATS)
def test_every_form_escapes_what_it_is_given(form: str) -> None:
    hostile = replace(CAUGHT, reason="<script> | `a`")
    found = diffed([[PASSED] * 2, [CAUGHT] * 2], [[PASSED] * 2, [replace(hostile, verdict=Verdict.PROMOTED)] * 2])
    told = reports.render_diff(found, form)
    assert told
    if form == "html":
        assert "<script>" not in told
    if form == "json":
        assert json.loads(told)["decisions"]["transitions"][1]["new_reason"] == "<script> | `a`"


def test_the_forest_s_info() -> None:
    slow = outcome(Verdict.PROMOTED, values={Kpi.DEPLOYMENT_DURATION: 20.0, Kpi.FALSE_ABORT_RATE: 0.0})
    found = forest.info(diffed([[PASSED] * 2, [CAUGHT] * 2], [[slow] * 2, [CAUGHT] * 2]))
    rows = {row.name: row for row in found.rows}
    assert found.title == "a → b"
    assert len(rows) == len(Kpi)
    longer = "10 min → 20 min,  +10 min (+10 .. +10)"
    assert rows["Deployment duration"] == forest.Row("Deployment duration", 0.5, 0.5, 0.5, longer, Mark.WORSE)
    assert rows["Lead time"] == forest.Row("Lead time", None, None, None, "- → -", Mark.NO_DATA)
    assert (rows["Miss rate"].mean, rows["Miss rate"].mark) == (0.0, Mark.EQUAL)
    assert forest.draw(found).axes[0].get_xlim()[1] > 0.5


def test_the_pair_s_info() -> None:
    old = journal(weight(0.0, 10.0), traffic(60.0, "stable", 90), verdict=Verdict.ABORTED, ended_s=90.0, reason="why")
    new = journal(weight(0.0, 20.0), traffic(60.0, "stable", 80), verdict=Verdict.PROMOTED, ended_s=300.0, last_s=600.0)
    found = pair.info(run_result(old).journal, run_result(new).journal, ("main:k8s", "k8s"))
    assert found.title == "release steady (good), seed 7"
    assert [half.title for half in found.halves] == ["OLD (main:k8s): aborted", "NEW (k8s): promoted"]
    assert {half.run.axis.span_min for half in found.halves} == {(-2.0, 10.0)}
    assert len(pair.draw(found).axes) == 6


@pytest.mark.parametrize(
    ("old", "new", "cuts"),
    [
        pytest.param((0.0, 30.0, ()), (0.0, 900.0, ()), (), id="no-soaks"),
        pytest.param((0.0, 900.0, ((50.0, 800.0),)), (0.0, 900.0, ((60.0, 700.0),)), ((60.0, 700.0),), id="both-soak"),
        pytest.param((0.0, 90.0, ()), (0.0, 900.0, ((60.0, 700.0),)), ((90.0, 700.0),), id="one-is-over"),
        pytest.param((0.0, 900.0, ()), (0.0, 900.0, ((60.0, 700.0),)), (), id="one-is-busy"),
    ],
)
def test_soaks_are_cut_short_where_nothing_happens_on_either_side(
    old: tuple[float, float, Cuts], new: tuple[float, float, Cuts], cuts: Cuts
) -> None:
    found = pair.common_axis(Axis(old[:2], old[2]), Axis(new[:2], new[2]))
    assert (found.span_min, found.cuts_min) == ((0.0, 900.0), cuts)


def test_where_a_release_was_stopped() -> None:
    rows = (
        StepRecord(0.0, "", 0, "setWeight 5", "started"),
        StepRecord(5.0, "", 0, "setWeight 5", "completed"),
        StepRecord(5.0, "", 1, "pause 3m", "started"),
        DecisionRecord(60.0, "", "analysis", "abort", "1 > 0"),
        StepRecord(70.0, "", 2, "setWeight 100", "started"),
    )
    assert reports.outcome.outcome_of(run_result(journal(*rows))).step == "step 2 (pause 3m)"
    assert reports.outcome.outcome_of(run_result(journal(*rows[:3]))).step == ""
