from __future__ import annotations

import pytest

from reports.story import Line, story
from reports.views import quiet_s
from sim.model.records import (
    DecisionRecord,
    FaultRecord,
    MeasurementRecord,
    Record,
    StepRecord,
    Verdict,
    WeightRecord,
)
from tests.reports.builders import journal, soak, traffic, weight


def decision(t_s: float, actor: str, what: str, reason: str = "") -> DecisionRecord:
    return DecisionRecord(t_s, "", actor, what, reason)


def at(t_s: float, candidate: float, region: str = "") -> WeightRecord:
    return WeightRecord(t_s, region, candidate, 100.0 - candidate)


def failing(t_s: float, value: str) -> MeasurementRecord:
    return MeasurementRecord(t_s, "", "run", "success-rate", "Failed", value, "")


def test_a_bad_release_from_apply_to_recovery() -> None:
    rows = journal(
        at(-60.0, 0.0),
        decision(0.0, "argo-cd", "start", "revision 2 applied"),
        at(20.0, 5.0),
        traffic(60.0, "candidate", 100, 50, region=""),
        failing(50.0, "[0.912345678]"),
        failing(60.0, "[0.9]"),
        decision(70.0, "analysis", "abort", "success-rate failed"),
        at(72.0, 0.0),
        verdict=Verdict.ABORTED, ended_s=72.0, last_s=120.0, good=False, reason="RolloutAborted: success-rate failed",
    )  # fmt: skip
    assert story(rows) == (
        Line(0.0, "started by Argo CD: revision 2 applied"),
        Line(20.0, "5 % of the traffic to the release"),
        Line(20.0, "harm begins"),
        Line(50.0, "success-rate fails for the first time: [0.9123]"),
        Line(70.0, "aborted by the analysis"),
        Line(72.0, "the stable version serves everybody again"),
        Line(72.0, "the rollout has ended: aborted"),
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param((at(0.0, 0.0), at(16.0, 25.0), at(17.0, 50.0), at(30.0, 100.0)),
                     "100 % of the traffic to the release", id="pod by pod is one change"),
        pytest.param((at(0.0, 0.0), WeightRecord(2.0, "", 0.0, 0.0)), "all traffic goes where no pod is", id="nowhere"),
        pytest.param((at(0.0, 0.0), *(at(60.0 * i, 5.0 * i) for i in range(1, 10))),
                     "traffic to the release: 5 % (+1m00s), 10 % (+2m00s), 15 % (+3m00s), 20 % (+4m00s), 25 % (+5m00s), "
                     "30 % (+6m00s), 35 % (+7m00s), 40 % (+8m00s), 45 % (+9m00s)", id="many in one line"),
        pytest.param((at(0.0, 0.0, "osaka"), at(60.0, 5.0, "osaka")), "osaka: 5 % of the traffic to the release", id="region"),
        pytest.param((StepRecord(9.0, "", 1, "pause", "started"),), "waits for a person's approval", id="open pause"),
        pytest.param((FaultRecord(9.0, "", "leak", "candidate", "began"),), "fault began: leak (candidate)", id="fault"),
        pytest.param((decision(9.0, "person", "alert", "too many errors"),), "a person is called: too many errors", id="alert"),
    ],
)  # fmt: skip
def test_a_line(rows: tuple[Record, ...], expected: str) -> None:
    assert expected in [line.text for line in story(journal(*rows))]


def test_a_soak_is_one_line() -> None:
    rows = journal(
        traffic(60.0, "candidate", 60), soak(86460.0, "candidate", 86400.0, 0.0, width_s=86400.0),
        decision(86460.0, "argo-cd", "start"), traffic(86520.0, "candidate", 60), ended_s=86520.0,
    )  # fmt: skip
    assert quiet_s(rows) == ((60.0, 86460.0),)
    assert Line(60.0, "soak: nothing is changed for 1d00h00m") in story(rows)
    # The rows of a soak are not the only quiet ones: a run that is merely slow has none.
    assert quiet_s(journal(traffic(60.0, "stable", 1), traffic(9060.0, "stable", 1), ended_s=9060.0)) == ()


def test_a_very_long_story_keeps_its_ends() -> None:
    rows = journal(weight(0.0, 0.0), *(FaultRecord(float(i), "", f"f{i}", "candidate", "began") for i in range(100)))
    told = story(rows)
    assert len(told) == 39
    assert told[30].text == "(63 lines are left out)"
    assert told[-1].text == "the rollout has ended: promoted"
