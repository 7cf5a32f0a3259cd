from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import reports
from reports import dora
from reports.frequency import Hours, releases_per_week
from reports.outcome import Outcome
from reports.scorecard import KpiScore, TargetCheck
from reports.scoring import met, without_differing_numbers
from reports.statistics import NOTHING, Estimate
from sim.model.behaviour import Release, VersionBehaviour
from sim.model.kpis import Kpi, KpiTarget
from sim.model.records import Verdict
from sim.study import Cell, Study
from tests.reports.builders import MIX, outcome, scenario, study

TARGETS = (
    KpiTarget(Kpi.DEPLOYMENT_DURATION, "objective", 15.0),
    KpiTarget(Kpi.MISS_RATE, "year 1", 0.5),
    KpiTarget(Kpi.MISS_RATE, "objective", 0.01),
)
PASSED = outcome(Verdict.PROMOTED, values={Kpi.DEPLOYMENT_DURATION: 10.0, Kpi.FALSE_ABORT_RATE: 0.0})
STOPPED = outcome(Verdict.ABORTED, values={Kpi.FALSE_ABORT_RATE: 1.0}, reason="4 > 3")
CAUGHT = outcome(Verdict.ABORTED, good=False, values={Kpi.MISS_RATE: 0.0, Kpi.TIME_TO_DETECT: 2.0}, reason="4 > 3")
MISSED = outcome(
    Verdict.UNDONE,
    good=False,
    values={Kpi.MISS_RATE: 1.0, Kpi.TIME_TO_DETECT: 60.0, Kpi.DEPLOYMENT_DURATION: 10.0},
    bounds=(Kpi.TIME_TO_DETECT,),
)
REJECTED = outcome(Verdict.REJECTED, values={Kpi.FALSE_ABORT_RATE: 1.0}, reason="invalid", occupancy_s=0.0)


def two_cells() -> Study[Outcome]:
    world = scenario(targets=TARGETS)
    refused = [[REJECTED] * 4, [replace(REJECTED, good=False)] * 4]
    return study(
        [
            (Cell("canary", "as written", world), refused),
            (Cell("canary", "corrected", world), [[PASSED, PASSED, PASSED, STOPPED], [CAUGHT, CAUGHT, CAUGHT, MISSED]]),
        ]
    )


def test_verdict_shares_are_weighted_by_the_mix() -> None:
    corrected = reports.score(two_cells()).strategies[1]
    shares = {share.verdict: share for share in corrected.verdicts}
    assert corrected.share(Verdict.PROMOTED) == pytest.approx(0.88 * 0.75)
    assert corrected.share(Verdict.ABORTED) == pytest.approx(0.88 * 0.25 + 0.12 * 0.75)
    assert (shares[Verdict.ABORTED].of_good, shares[Verdict.ABORTED].of_bad) == (0.25, 0.75)
    assert sum(share.share.mean or 0.0 for share in corrected.verdicts) == pytest.approx(1.0)


def test_indicators_are_over_the_releases_they_apply_to() -> None:
    corrected = reports.score(two_cells()).strategies[1]
    assert corrected.kpi(Kpi.DEPLOYMENT_DURATION).estimate == Estimate(10.0, 10.0, 10.0, 4)
    assert corrected.kpi(Kpi.MISS_RATE).estimate.mean == 0.25
    assert corrected.kpi(Kpi.FALSE_ABORT_RATE).estimate.mean == 0.25
    assert corrected.kpi(Kpi.TIME_TO_DETECT).estimate.mean == pytest.approx((3 * 2 + 60) / 4)
    assert corrected.kpi(Kpi.TIME_TO_DETECT).lower_bounds == 1
    assert corrected.kpi(Kpi.LEAD_TIME).estimate == NOTHING


def test_frequency_is_what_fits_times_what_arrives() -> None:
    written, corrected = reports.score(two_cells()).strategies
    assert written.kpi(Kpi.DEPLOYMENT_FREQUENCY).estimate.mean == 0.0
    found = corrected.kpi(Kpi.DEPLOYMENT_FREQUENCY).estimate
    assert found.mean is not None
    assert found.mean == pytest.approx(7 * 86400 / 600 * (0.88 * 0.75 + 0.12 * 0.25))
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo < found.mean < found.hi <= 7 * 86400 / 600


def test_the_target_in_force_is_the_objective() -> None:
    miss = reports.score(two_cells()).strategies[1].kpi(Kpi.MISS_RATE)
    assert miss.target is not None
    assert (miss.target.period, miss.target.value) == ("objective", 0.01)
    assert [check.period for check in miss.targets] == ["year 1", "objective"]


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        pytest.param(("current", "year 1", "objective"), "objective", id="the objective"),
        pytest.param(("current", "year 1", "year 3"), "year 1", id="what is worked towards now"),
        pytest.param(("current",), "current", id="all there is"),
        pytest.param((), None, id="none"),
    ],
)
def test_the_target_that_counts_now(periods: tuple[str, ...], expected: str | None) -> None:
    checks = tuple(TargetCheck(period, 1.0, strict=True, met=None) for period in periods)
    target = KpiScore(Kpi.LEAD_TIME, NOTHING, "h", checks).target
    assert (target and target.period) == expected


def _of_one_kind(outcomes: list[Outcome], target: KpiTarget) -> KpiScore:
    only = (Release("steady", good=True, share=1.0, behaviour=VersionBehaviour("v2")),)
    found = reports.score(study([(Cell("canary", "", scenario(mix=only, targets=(target,))), [outcomes])]))
    return found.strategies[0].kpi(target.kpi)


def test_an_undecided_share_says_how_many_replications_would_decide_it() -> None:
    none = outcome(Verdict.PROMOTED, values={Kpi.CHANGE_FAILURE_RATE: 0.0})
    found = _of_one_kind([none] * 4, KpiTarget(Kpi.CHANGE_FAILURE_RATE, "objective", 0.05))
    assert found.target is not None
    assert found.target.met is None
    # Without failures Wilson's upper end is z^2 / (n + z^2) < 0.05 from n = 73 on; in steps of four: 76.
    assert found.target.replications == 76


def test_an_undecided_mean_says_how_many_replications_would_decide_it() -> None:
    both = [outcome(Verdict.PROMOTED, values={Kpi.TIME_TO_DETECT: minutes}) for minutes in (1.0, 2.0)]
    found = _of_one_kind(both, KpiTarget(Kpi.TIME_TO_DETECT, "objective", 2.0))
    assert found.target is not None
    # n values with mean 1.5 and squares n/4: t(n - 1) * sqrt(n / 4 / (n - 1) / n) < 0.5 first holds at n = 8.
    assert (found.target.met, found.target.replications) == (None, 8)


def test_what_no_number_of_replications_decides_is_not_promised() -> None:
    half = [outcome(Verdict.PROMOTED, values={Kpi.TIME_TO_DETECT: minutes}) for minutes in (1.0, 3.0)]
    found = _of_one_kind(half, KpiTarget(Kpi.TIME_TO_DETECT, "objective", 2.0))
    assert found.target is not None
    assert (found.target.met, found.target.replications) == (None, None)
    once = _of_one_kind(half[:1], KpiTarget(Kpi.TIME_TO_DETECT, "objective", 2.0))
    assert once.target is not None
    assert once.target.replications is None


def test_what_cannot_be_negative_has_no_negative_interval() -> None:
    values = [outcome(Verdict.PROMOTED, values={Kpi.RECOVERY_TIME: m, Kpi.FAILED_REQUESTS: m}) for m in (1.0, 9.0)]
    assert _of_one_kind(values, KpiTarget(Kpi.RECOVERY_TIME, "objective", 2.0)).estimate.lo == 0.0
    lower = _of_one_kind(values, KpiTarget(Kpi.FAILED_REQUESTS, "objective", 2.0)).estimate.lo
    assert lower is not None
    assert lower < 0


@pytest.mark.parametrize(
    ("kpi", "value", "strict", "estimate", "expected"),
    [
        pytest.param(Kpi.TIME_TO_DETECT, 2.0, True, Estimate(1.0, 0.5, 1.9, 9), True, id="all below"),
        pytest.param(Kpi.TIME_TO_DETECT, 2.0, True, Estimate(1.9, 1.5, 2.1, 9), None, id="across"),
        pytest.param(Kpi.TIME_TO_DETECT, 2.0, True, Estimate(3.0, 2.1, 4.0, 9), False, id="all above"),
        pytest.param(Kpi.TIME_TO_DETECT, 2.0, True, Estimate(2.0, 2.0, 2.0, 9), False, id="at a strict limit"),
        pytest.param(Kpi.TIME_TO_DETECT, 2.0, False, Estimate(2.0, 2.0, 2.0, 9), True, id="at a limit"),
        pytest.param(Kpi.TIME_TO_DETECT, 2.0, True, Estimate(1.0, None, None, 1), None, id="no interval"),
        pytest.param(Kpi.TIME_TO_DETECT, 2.0, True, NOTHING, None, id="no data"),
        pytest.param(Kpi.LEAD_TIME, 2.0, True, NOTHING, False, id="never arrives"),
        pytest.param(Kpi.DEPLOYMENT_FREQUENCY, 7.0, False, Estimate(9.0, 7.0, 11.0, 9), True, id="more is better"),
        pytest.param(Kpi.DEPLOYMENT_FREQUENCY, 7.0, True, Estimate(9.0, 7.0, 11.0, 9), None, id="but strictly"),
        pytest.param(Kpi.DEPLOYMENT_FREQUENCY, 7.0, False, Estimate(5.0, 4.0, 6.0, 9), False, id="too few"),
        pytest.param(Kpi.UNPLANNED_DOWNTIME, 0.0, False, Estimate(0.0, 0.0, 0.0, 9), True, id="none at all"),
    ],
)
def test_met(kpi: Kpi, value: float, strict: bool, estimate: Estimate, expected: bool | None) -> None:
    assert met(KpiTarget(kpi, "objective", value, strict), estimate) is expected


def test_a_lower_bound_never_meets_a_target_but_can_miss_it() -> None:
    target = KpiTarget(Kpi.RECOVERY_TIME, "objective", 15.0)
    assert met(target, Estimate(5.0, 4.0, 6.0, 9), bounded_below=True) is None
    assert met(target, Estimate(50.0, 40.0, 60.0, 9), bounded_below=True) is False


def test_cells_that_share_a_strategy_or_a_variant_are_compared() -> None:
    score = reports.score(two_cells())
    found = {(d.ours, d.theirs, d.kpi): d.estimate for d in score.differences}
    pair = ("canary (corrected)", "canary (as written)")
    assert found[*pair, Kpi.FALSE_ABORT_RATE].mean == pytest.approx(-0.75)
    assert (*pair, Kpi.DEPLOYMENT_DURATION) not in found


def test_cells_with_other_mixes_are_not_compared() -> None:
    only_good = (Release("steady", good=True, share=1.0, behaviour=VersionBehaviour("v2")),)
    cells = [
        (Cell("canary", "a", scenario(mix=MIX)), [[PASSED] * 2, [CAUGHT] * 2]),
        (Cell("canary", "b", scenario(mix=only_good)), [[PASSED] * 2]),
    ]
    assert reports.score(study(cells)).differences == ()


def test_the_json_of_a_score_has_its_promised_shape() -> None:
    data = json.loads(reports.render_score(reports.score(two_cells(), command="rolltwin score"), "json"))
    assert {"strategies", "scenario_hash", "seed", "replications"} <= set(data)
    assert (data["seed"], data["replications"], data["command"]) == (1, 4, "rolltwin score")
    strategy = data["strategies"][1]
    assert (strategy["name"], strategy["variant"]) == ("canary", "corrected")
    assert set(strategy["verdicts"]) == {verdict.value for verdict in Verdict}
    assert set(strategy["kpis"]) == {kpi.value for kpi in Kpi}
    assert strategy["kpis"]["deployment_duration"] == {
        "mean": 10.0,
        "lo": 10.0,
        "hi": 10.0,
        "n": 4,
        "unit": "min",
        "target": 15.0,
        "target_period": "objective",
        "met": True,
        "targets": [
            {"period": "objective", "value": 15.0, "strict": True, "met": True, "replications_to_decide": None}
        ],
        "dora": None,
        "lower_bounds": 0,
    }
    assert strategy["kpis"]["lead_time"]["mean"] is None
    assert strategy["kpis"]["miss_rate"]["met"] is False


def test_equal_studies_give_equal_json() -> None:
    assert reports.render_score(reports.score(two_cells()), "json") == reports.render_score(
        reports.score(two_cells()), "json"
    )


def _daily(hours: float, days: int = 365) -> Hours:
    start = datetime(2026, 1, 1, 10, tzinfo=UTC)
    return [(start + timedelta(days=day), start + timedelta(days=day, hours=hours)) for day in range(days)]


@pytest.mark.parametrize(
    ("minutes", "hours", "expected"),
    [
        pytest.param(240.0, None, 42.0, id="four hours each, round the clock"),
        pytest.param(55.0, _daily(4), 28.0, id="four of 55 minutes in four hours"),
        pytest.param(60.0, _daily(4), 28.0, id="exactly four"),
        pytest.param(61.0, _daily(4), 21.0, id="only three"),
        pytest.param(360.0, _daily(4), 7.0, id="one that runs on after the window"),
        pytest.param(36 * 60.0, _daily(4), 3.5, id="every second window is missed"),
        pytest.param(60.0, [], 0.0, id="never open"),
    ],
)
def test_releases_a_week(minutes: float, hours: Hours | None, expected: float) -> None:
    assert releases_per_week(minutes * 60, hours, 2026) == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize(
    ("kpi", "value", "year", "expected"),
    [
        pytest.param(Kpi.CHANGE_FAILURE_RATE, 0.08, 2024, ("medium",), id="2024: 8 % is medium"),
        pytest.param(Kpi.CHANGE_FAILURE_RATE, 0.15, 2024, ("high",), id="2024: 15 % is high, though worse"),
        pytest.param(Kpi.CHANGE_FAILURE_RATE, 0.0, 2024, ("elite",), id="2024: none is elite"),
        pytest.param(Kpi.CHANGE_FAILURE_RATE, 0.5, 2024, (), id="2024: worse than every cluster"),
        pytest.param(
            Kpi.CHANGE_FAILURE_RATE_WITH_ABORTS, 0.1, 2018, ("elite", "high", "medium"), id="2018: three share it"
        ),
        pytest.param(Kpi.CHANGE_FAILURE_RATE, 0.4, 2018, (), id="2018: a gap"),
        pytest.param(Kpi.LEAD_TIME, 3.0, 2018, (), id="2018: between an hour and a day"),
        pytest.param(Kpi.LEAD_TIME, 3.0, 2024, ("elite",), id="2024: within a day"),
        pytest.param(Kpi.LEAD_TIME, 300.0, 2023, ("medium", "low"), id="2023: two share it"),
        pytest.param(Kpi.RECOVERY_TIME, 30.0, 2024, ("elite",), id="half an hour, not the hour-to-day clusters"),
        pytest.param(Kpi.RECOVERY_TIME, 90.0, 2024, ("high", "medium"), id="an hour and a half"),
        pytest.param(Kpi.DEPLOYMENT_FREQUENCY, 3.0, 2024, ("high",), id="three a week"),
        pytest.param(Kpi.DEPLOYMENT_FREQUENCY, 70.0, 2024, ("elite",), id="ten a day"),
        pytest.param(Kpi.DEPLOYMENT_FREQUENCY, 0.0, 2021, ("low",), id="never"),
        pytest.param(Kpi.EXTRA_POD_HOURS, 1.0, 2024, None, id="not DORA's"),
    ],
)
def test_dora_clusters(kpi: Kpi, value: float, year: int, expected: tuple[str, ...] | None) -> None:
    assert dora.clusters(kpi, value, year) == expected


def test_a_year_without_a_table_is_an_error() -> None:
    assert 2020 not in dora.YEARS
    with pytest.raises(KeyError):
        dora.clusters(Kpi.LEAD_TIME, 1.0, 2020)


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        pytest.param(["check 1: 7 %", "check 1: 8 %"], "check 1: … %", id="one-differs"),
        pytest.param(["a 1.5 b 2", "a 1.5 b 2"], "a 1.5 b 2", id="all-the-same"),
        pytest.param(["no numbers"], "no numbers", id="none"),
    ],
)
def test_reasons_that_differ_in_numbers_are_told_as_one(texts: list[str], told: str) -> None:
    assert without_differing_numbers(texts) == told
