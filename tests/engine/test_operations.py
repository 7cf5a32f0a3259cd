"""What people do to a Rollout at set times (behaviour reference 8.4 and 11.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.engine import run
from sim.model.behaviour import Release
from sim.model.controller import Controller
from sim.model.manifests import ManifestSet
from sim.model.operations import Command, Operation
from sim.model.records import (
    AnalysisRecord,
    DecisionRecord,
    PhaseRecord,
    PodRecord,
    RunResult,
    ScaleRecord,
    StepRecord,
    TrafficRecord,
    Verdict,
    WeightRecord,
)
from sim.model.rollout import RunRole
from sim.model.scenario import Scenario
from sim.model.units import IntOrPercent
from tests.engine import builders
from tests.engine.test_canary import weights

POD_START_S = 16.0
GOOD = builders.release()
SECOND = Release("second", good=True, share=0.0, behaviour=builders.version("second"))
BAD = builders.release(good=False, error_ratio=0.3)


def canary(**spec: Any) -> ManifestSet:
    """20 % for two minutes, then 60 % until a person says so."""
    steps = (builders.set_weight(20), builders.pause(120), builders.set_weight(60), builders.pause(None))
    return builders.canary_manifests(steps, **spec)


def operated(manifests: ManifestSet, *operations: Operation, **changes: Any) -> Scenario:
    return builders.scenario(manifests, operations=operations, mix=(GOOD, SECOND), **({"horizon_s": 1800.0} | changes))


def do(at_s: float, command: Command, **parts: Any) -> Operation:
    return Operation(at_s, command, **parts)


def decisions(result: RunResult) -> list[tuple[str, str]]:
    return [(row.actor, row.decision) for row in result.journal if isinstance(row, DecisionRecord)]


def reason_of(result: RunResult, decision: str) -> str:
    found = [row for row in result.journal if isinstance(row, DecisionRecord)]
    return next(row.reason for row in found if row.decision == decision)


def completed(result: RunResult) -> dict[int, float]:
    rows = [row for row in result.journal if isinstance(row, StepRecord) and row.state == "completed"]
    return {row.index: row.t_s for row in rows}


def desired(result: RunResult, side: str, at_s: float) -> int:
    rows = [row for row in result.journal if isinstance(row, ScaleRecord) and row.side == side and row.t_s <= at_s]
    last = {row.replica_set: row.desired for row in rows}
    return sum(last.values())


def test_promote_ends_a_pause_and_only_that() -> None:
    result = run(operated(canary(), do(60, Command.PROMOTE), do(300, Command.PROMOTE)), seed=1)
    assert completed(result)[1] == pytest.approx(60, abs=0.1)
    assert completed(result)[2] == pytest.approx(60 + POD_START_S, abs=0.2)
    assert completed(result)[3] == pytest.approx(300, abs=0.1)
    assert result.verdict is Verdict.PROMOTED
    assert decisions(result).count(("person", "resume")) == 2


def test_promote_skips_the_step_of_a_rollout_that_does_not_wait() -> None:
    """The pods of 20 % are not there yet: the setWeight step is skipped, its weight stands once they are."""
    result = run(operated(canary(), do(5, Command.PROMOTE), do(300, Command.PROMOTE)), seed=1)
    assert ("person", "skip") in decisions(result)
    assert completed(result)[0] == pytest.approx(5, abs=0.1)
    assert weights(result)[1] == (20.0, 80.0)


def test_promote_full_skips_everything_and_moves_traffic_at_the_end() -> None:
    result = run(operated(canary(), do(60, Command.PROMOTE_FULL)), seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert result.ended_s == pytest.approx(60 + POD_START_S, abs=1)
    assert weights(result)[1:] == [(20.0, 80.0), (100.0, 0.0)]
    assert ("person", "promote-full") in decisions(result)


def test_an_abort_is_the_person_s() -> None:
    result = run(operated(canary(), do(60, Command.ABORT)), seed=1)
    assert result.verdict is Verdict.ABORTED
    assert result.reason == "aborted by a person: as planned at 1m"
    assert ("person", "abort") in decisions(result)
    assert weights(result)[-1] == (0.0, 100.0)


def test_a_retry_begins_again_at_the_first_step() -> None:
    operations = (do(60, Command.ABORT), do(120, Command.RETRY), do(420, Command.PROMOTE))
    result = run(operated(canary(), *operations), seed=1)
    assert result.verdict is Verdict.PROMOTED
    starts = [row.t_s for row in result.journal if isinstance(row, StepRecord) and row.state == "started"]
    assert starts[:2] == [pytest.approx(0, abs=0.1), pytest.approx(POD_START_S, abs=0.2)]
    assert starts[2] == pytest.approx(120, abs=0.1)
    # The aborted pods were gone after 30 s; the second try needs new ones, whose image is there.
    assert weights(result)[1:4] == [(20.0, 80.0), (0.0, 100.0), (20.0, 80.0)]


def test_promoting_an_aborted_release_in_full_ships_it() -> None:
    operations = (do(60, Command.ABORT), do(70, Command.PROMOTE_FULL))
    result = run(operated(canary(), *operations), seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert weights(result)[-1] == (100.0, 0.0)


def test_a_pause_by_hand_freezes_steps_until_it_is_resumed() -> None:
    operations = (do(60, Command.PAUSE), do(400, Command.RESUME), do(700, Command.PROMOTE))
    result = run(operated(canary(), *operations), seed=1)
    assert completed(result)[1] == pytest.approx(400, abs=0.1)
    phases = [(row.phase, row.message) for row in result.journal if isinstance(row, PhaseRecord)]
    assert ("Paused", "manually paused") in phases
    assert result.verdict is Verdict.PROMOTED


def test_scaling_in_mid_rollout_sizes_both_sides_anew() -> None:
    operations = (do(60, Command.SCALE, replicas=20), do(300, Command.PROMOTE))
    result = run(operated(canary(), *operations), seed=1)
    assert (desired(result, "candidate", 59), desired(result, "stable", 59)) == (2, 10)
    assert (desired(result, "candidate", 61), desired(result, "stable", 61)) == (4, 20)
    assert result.verdict is Verdict.PROMOTED
    assert desired(result, "candidate", result.ended_s) == 20


def test_another_release_supersedes_the_one_under_way() -> None:
    operations = (do(60, Command.APPLY, release="second"), do(400, Command.PROMOTE))
    result = run(operated(canary(), *operations), seed=1)
    assert result.verdict is Verdict.PROMOTED
    scales = [row for row in result.journal if isinstance(row, ScaleRecord) and row.side == "candidate"]
    first, second = dict.fromkeys(row.replica_set for row in scales)
    # The intermediate revision keeps its pods for as long as the canary Service selects them: until others are available.
    gone_s = next(row.t_s for row in scales if row.replica_set == first and row.desired == 0)
    assert gone_s == pytest.approx(60 + POD_START_S, abs=0.2)
    assert next(row.desired for row in scales if row.replica_set == second) == 2
    assert weights(result)[1:4] == [(20.0, 80.0), (0.0, 100.0), (20.0, 80.0)]
    assert "(second) applied" in [row.reason for row in result.journal if isinstance(row, DecisionRecord)][1]


def test_an_undo_in_mid_rollout_goes_back_at_once_without_steps() -> None:
    result = run(operated(canary(), do(60, Command.UNDO)), seed=1)
    assert result.verdict is Verdict.ABORTED
    assert result.reason == "undone by a person: as planned at 1m"
    assert result.ended_s < 70
    assert weights(result)[-1] == (0.0, 100.0)
    assert desired(result, "candidate", result.ended_s + 55) == 0


def test_an_undo_after_the_promotion_takes_the_steps_again() -> None:
    operations = (do(60, Command.PROMOTE_FULL), do(200, Command.UNDO, revision=1), do(500, Command.PROMOTE))
    result = run(operated(canary(), *operations), seed=1)
    assert result.verdict is Verdict.UNDONE
    assert weights(result)[-1] == (0.0, 100.0)
    assert result.ended_s > 500


@pytest.mark.parametrize("window", [1, None], ids=["within-the-window", "no-window"])
def test_a_rollback_window_skips_the_steps_of_an_undo(window: int | None) -> None:
    operations = (do(60, Command.PROMOTE_FULL), do(200, Command.UNDO))
    result = run(operated(canary(rollback_window_revisions=window), *operations), seed=1)
    assert (result.verdict is Verdict.UNDONE) == (window is not None)


def test_a_blue_green_undo_within_the_scale_down_delay_is_instant() -> None:
    manifests = builders.blue_green_manifests(scale_down_delay_s=600, auto_promotion_enabled=False)
    operations = (do(60, Command.PROMOTE), do(120, Command.UNDO))
    result = run(operated(manifests, *operations), seed=1)
    assert result.verdict is Verdict.UNDONE
    assert result.ended_s < 125


def test_a_restart_replaces_every_older_pod_as_many_at_once_as_may_be_unavailable() -> None:
    manifests = canary(replicas=4)
    result = run(operated(manifests, do(60, Command.PROMOTE_FULL), do(200, Command.RESTART)), seed=1)
    rows = [row for row in result.journal if isinstance(row, PodRecord) and row.t_s >= 200]
    assert sum(row.state == "terminating" for row in rows) == 4
    assert sum(row.state == "ready" for row in rows) == 4
    counts = [row for row in result.journal if isinstance(row, ScaleRecord) and row.t_s > 200]
    assert min(row.available for row in counts if row.desired == 4) == 3
    messages = [row.message for row in result.journal if isinstance(row, PhaseRecord) and row.t_s > 200]
    assert messages[0] == "rollout is restarting"
    assert messages[-1] == ""


def test_a_terminated_analysis_is_judged_by_what_it_has_measured() -> None:
    template = builders.prometheus_template("gate", "vector(1)", "result[0] == 1", interval="1m", count=100)
    manifests = builders.canary_manifests((builders.set_weight(20), builders.analysis("gate")), templates=(template,))
    result = run(operated(manifests, do(200, Command.TERMINATE, analysis=RunRole.STEP)), seed=1)
    (last,) = [row for row in result.journal if isinstance(row, AnalysisRecord) and row.phase == "Successful"]
    assert last.t_s == pytest.approx(200, abs=0.1)
    assert result.verdict is Verdict.PROMOTED


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        pytest.param(do(60, Command.RETRY), "retry: nothing is aborted", id="retry"),
        pytest.param(do(90, Command.RESUME), "resume: nothing is paused", id="resume"),
        pytest.param(do(60, Command.UNDO, revision=9), "undo: no revision 9 in the history", id="undo"),
        pytest.param(do(60, Command.UNDO, revision=2), "undo: that revision's template", id="undo-current"),
        pytest.param(do(60, Command.TERMINATE), "terminate: no such analysis runs", id="terminate"),
        pytest.param(do(60, Command.SCALE, replicas=10), "scale: it has 10 replicas already", id="scale"),
        pytest.param(do(400, Command.ABORT), "abort: the release is stable already", id="abort"),
        pytest.param(do(400, Command.PROMOTE), "promote: nothing waits", id="promote"),
        pytest.param(do(400, Command.PROMOTE_FULL), "promote-full: the release is stable", id="promote-full"),
    ],
)
def test_a_command_without_effect_is_told(operation: Operation, said: str) -> None:
    manifests = builders.canary_manifests((builders.set_weight(20), builders.pause(60)))
    result = run(operated(manifests, operation), seed=1)
    assert said in reason_of(result, "nothing")
    assert result.verdict is Verdict.PROMOTED


def test_the_run_goes_on_until_everything_planned_is_done() -> None:
    manifests = builders.canary_manifests((builders.set_weight(20), builders.pause(60)))
    result = run(operated(manifests, do(900, Command.SCALE, replicas=12)), seed=1)
    assert result.ended_s < 200
    assert desired(result, "candidate", 901) == 12


def test_old_revisions_beyond_the_limit_are_deleted() -> None:
    mix = (GOOD, *(Release(f"r{n}", good=True, share=0.0, behaviour=builders.version(f"r{n}")) for n in range(3)))
    manifests = builders.canary_manifests((), replicas=2, revision_history_limit=1)
    operations = tuple(do(100 + 100 * n, Command.APPLY, release=f"r{n}") for n in range(3))
    result = run(replace(operated(manifests, *operations, do(600, Command.UNDO, revision=1)), mix=mix), seed=1)
    assert reason_of(result, "nothing") == "undo: no revision 1 in the history"


@pytest.mark.parametrize(
    "manifests",
    [
        pytest.param(canary(replicas=3), id="canary"),
        pytest.param(builders.canary_manifests((), replicas=3), id="no-steps"),
        pytest.param(builders.blue_green_manifests(replicas=3, auto_promotion_enabled=False), id="blue-green"),
    ],
)
def test_a_first_deployment_takes_no_steps(manifests: ManifestSet) -> None:
    result = run(builders.scenario(manifests, first_deploy=True), seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert result.ended_s == pytest.approx(POD_START_S, abs=2)
    assert not [row for row in result.journal if isinstance(row, PodRecord) and row.side == "stable"]
    served = [row for row in result.journal if isinstance(row, TrafficRecord) and row.t_s > 40]
    assert {row.side for row in served} == {"candidate"}


def test_a_first_deployment_with_istio_writes_its_weights_when_all_pods_are_available() -> None:
    result = run(builders.scenario(canary(replicas=3), first_deploy=True), seed=1)
    shown = [row for row in result.journal if isinstance(row, WeightRecord)]
    assert (shown[-1].candidate, shown[-1].stable) == (100.0, 0.0)


def test_surge_and_unavailability_hold_when_a_basic_canary_is_superseded() -> None:
    manifests = builders.canary_manifests((builders.set_weight(50), builders.pause(60)), replicas=4)
    spec = manifests.rollouts[0]
    assert spec.canary is not None
    basic = replace(
        spec,
        canary=replace(spec.canary, traffic_routing=None, max_surge=IntOrPercent(1), max_unavailable=IntOrPercent(1)),
    )
    world = replace(manifests, rollouts=(basic,), virtual_services=())
    result = run(operated(world, do(30, Command.APPLY, release="second")), seed=1)
    latest: dict[str, ScaleRecord] = {}
    for row in result.journal:
        if isinstance(row, ScaleRecord):
            latest[row.replica_set] = row
            if row.t_s > 0:
                assert sum(one.desired for one in latest.values()) <= 5
                assert sum(one.available for one in latest.values()) >= 3
    assert result.verdict is Verdict.PROMOTED


@pytest.mark.parametrize("release", list(Controller))
def test_pausing_what_is_promoted_is_no_livelock(release: Controller) -> None:
    """Before 1.8 the controller then writes two conditions in turn, for ever."""
    manifests = builders.canary_manifests((builders.set_weight(20),), replicas=1)
    result = run(operated(manifests, do(200, Command.PAUSE), controller=release), seed=1)
    assert result.verdict is Verdict.PROMOTED


def test_a_deleted_revision_that_is_applied_again_is_made_anew() -> None:
    manifests = builders.canary_manifests((), replicas=2, revision_history_limit=0)
    operations = (do(100, Command.APPLY, release="second"), do(200, Command.APPLY, release="good"))
    result = run(operated(manifests, *operations), seed=1)
    assert result.verdict is Verdict.PROMOTED
    gone = [row.pod for row in result.journal if isinstance(row, PodRecord) and row.state == "gone"]
    assert len(gone) == len(set(gone))
