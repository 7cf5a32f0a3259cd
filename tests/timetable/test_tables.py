"""Timetables worked out by hand from the behaviour reference: pods, weights, bounds, gates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.model.analysis import AnalysisRef, AnalysisTemplate
from sim.model.manifests import ManifestSet
from sim.model.pods import PodTemplate
from sim.model.rollout import CanaryScale, CanaryStep, Experiment, ExperimentAnalysis, ExperimentTemplate
from sim.model.strategy import Geographic, Region, RegionPhase, SwitchScript
from sim.model.units import IntOrPercent
from sim.timetable import Ability, Gate, Instant, Refused, Timetable, plan
from tests.engine import builders
from tests.engine.builders import analysis, pause, refs, set_weight
from tests.timetable import worlds
from tests.timetable.worlds import gate

INSTANT_PODS = PodTemplate(labels=builders.APP, image="shop:1")
"""Without probes a pod can be ready at once."""


def manifests(*steps: CanaryStep, templates: tuple[AnalysisTemplate, ...] = (), **spec: Any) -> ManifestSet:
    return builders.canary_manifests(steps, templates=templates, **({"template": INSTANT_PODS} | spec))


def canary(base: ManifestSet, **fields: Any) -> ManifestSet:
    """The same with other fields of its canary strategy."""
    spec = base.rollouts[0]
    assert spec.canary is not None
    return replace(base, rollouts=(replace(spec, canary=replace(spec.canary, **fields)),))


def planned(base: ManifestSet, **changes: Any) -> Timetable:
    found = plan(replace(worlds.scenario(base), **changes))
    assert isinstance(found, Timetable), found
    return found


def pods(found: Timetable) -> list[tuple[int, int]]:
    """(release, stable) at the end of each step."""
    return [(row.candidate_pods, row.stable_pods) for row in found.rows if row.number is not None]


def gate_of(found: Timetable, name: str) -> Gate:
    return next(one for one in found.gates if one.name == name)


def ends(found: Timetable) -> list[tuple[float, float]]:
    """Whole seconds at which each step ends: down at its fastest, up at its slowest."""
    return [(round(row.end.earliest_s or 0), round(row.end.latest_s or 0)) for row in found.rows]


@pytest.mark.parametrize(
    ("weights", "replicas", "expected"),
    [
        pytest.param((1, 5, 25, 100), 10, [(1, 10), (1, 10), (3, 10), (10, 10)], id="stable-stays-full"),
        pytest.param((33,), 1, [(1, 1)], id="one-replica"),
        pytest.param((0, 50), 4, [(0, 4), (2, 4)], id="weight-0"),
    ],
)
def test_pods_behind_a_router(weights: tuple[int, ...], replicas: int, expected: list[tuple[int, int]]) -> None:
    found = planned(manifests(*map(set_weight, weights), replicas=replicas))
    assert pods(found) == expected
    assert [row.weight for row in found.rows if row.number] == list(weights)


@pytest.mark.parametrize(
    ("weight", "replicas", "expected", "share"),
    [
        pytest.param(1, 10, (1, 10), 100 / 11, id="surged"),
        pytest.param(50, 10, (5, 5), 50.0, id="half"),
        pytest.param(40, 3, (1, 2), 100 / 3, id="nearest"),
        pytest.param(10, 1, (1, 1), 50.0, id="one-replica"),
    ],
)
def test_pods_without_a_router(weight: int, replicas: int, expected: tuple[int, int], share: float) -> None:
    found = planned(canary(manifests(set_weight(weight), pause(60), replicas=replicas), traffic_routing=None))
    assert pods(found) == [expected, expected]
    assert found.rows[0].weight == pytest.approx(share)


def test_a_canary_scale_sticks_until_it_matches_the_weight() -> None:
    own, match = (
        CanaryStep(set_canary_scale=one) for one in (CanaryScale(replicas=8), CanaryScale(match_traffic_weight=True))
    )
    assert pods(planned(manifests(own, set_weight(20), match))) == [(8, 10), (8, 10), (2, 10)]


def test_a_dynamic_stable_shrinks_one_reconcile_behind() -> None:
    found = planned(canary(manifests(set_weight(40), pause(60), set_weight(80)), dynamic_stable_scale=True))
    assert pods(found) == [(4, 10), (4, 6), (8, 6)]
    assert found.peak.pods == 14
    assert found.peak.if_aborted == 20


def test_times_add_up() -> None:
    steps = (set_weight(10), pause("10m"), analysis("errors"), set_weight(50), pause(30))
    found = planned(manifests(*steps, templates=(gate("errors", interval="1m", count=5),)))
    # Pauses take what they say; five measurements four intervals (less a second for the stored times' cut), or each of
    # them four errors more; pods nothing, or their deadline of 10 min.
    assert ends(found)[:5] == [(0, 600), (600, 1200), (839, 1640), (839, 2240), (869, 2270)]
    assert found.end.after_wait is False
    assert found.bound_s == pytest.approx(1200, abs=0.1)
    assert found.earliest_abort_s == pytest.approx(600, abs=0.1)


def test_a_person_is_named_and_left_out() -> None:
    found = planned(manifests(set_weight(10), pause(None), set_weight(50), pause(60)))
    assert [row.waits_for_person for row in found.rows] == [False, True, False, False, False, False]
    assert [row.end.after_wait for row in found.rows] == [False, True, True, True, True, True]
    assert found.end.earliest_s == pytest.approx(60, abs=0.1)
    assert found.extra_pod_hours is None


def background(starting_step: int | None = None, **metric: Any) -> tuple[AnalysisTemplate, AnalysisRef]:
    return gate("watch", **metric), replace(refs("watch"), starting_step=starting_step)


def watched(*steps: CanaryStep, starting_step: int | None = None, **metric: Any) -> Timetable:
    template, ref = background(starting_step, **metric)
    return planned(manifests(*steps, templates=(template,), background=ref))


def test_a_background_gate_counts_from_its_first_step() -> None:
    steps = (set_weight(5), pause("10m"), set_weight(50), pause("10m"))
    found = watched(*steps, starting_step=2, interval="1m", failureLimit=2)
    one = gate_of(found, "watch")
    assert (one.where, one.ability) == ("background", Ability.ALWAYS)
    assert (one.start.earliest_s, one.start.latest_s) == pytest.approx((600, 1200), abs=0.1)
    # Five errors come sooner than three failures.
    assert one.earliest_abort_s == pytest.approx(600 + 39, abs=0.1)
    assert one.bound_s == pytest.approx(1200 + 120, abs=0.2)
    assert one.bound_with_errors_s == pytest.approx(1200 + 120 + 3 * 40, abs=0.4)
    # 5 % while step 2 lasted and step 3 waited, then 50 %.
    assert one.exposure.highest == 50
    assert one.exposure.full_traffic_s == pytest.approx(0.05 * 600 + 0.5 * 120, abs=0.5)
    assert [row.gates for row in found.rows[:4]] == [(), (), ("watch",), ("watch",)]
    assert found.unwatched == (0, 1)


def test_a_gate_that_measures_before_there_is_traffic() -> None:
    one = gate_of(watched(set_weight(20), pause("10m"), interval="30s"), "watch")
    assert one.bound_s == pytest.approx(0, abs=0.1)
    # The pods come by 10 min; the next measurement is an interval later.
    assert one.bound_with_traffic_s == pytest.approx(630, abs=0.2)
    assert one.exposure_with_traffic.highest == 20
    assert one.exposure_with_traffic.full_traffic_s == pytest.approx(0.2 * 30, abs=0.1)


@pytest.mark.parametrize(
    ("metric", "pause_s", "ability", "reason"),
    [
        pytest.param({"interval": "1m", "failureLimit": 3}, 600, Ability.ALWAYS, "", id="in-time"),
        pytest.param(
            {"interval": "1m", "failureLimit": 3}, 100, Ability.MAYBE, "promoted 1m40s", id="perhaps-too-late"
        ),
        pytest.param({"interval": "2h", "failureLimit": 3}, 60, Ability.NEVER, "promoted first", id="too-late"),
        pytest.param(
            {"count": 1, "interval": "1m", "failureLimit": 1}, 600, Ability.NEVER, "may fail", id="all-tolerated"
        ),
        pytest.param({"interval": "1m", "successCondition": ""}, 600, Ability.NEVER, "no condition", id="no-condition"),
    ],
)
def test_whether_a_background_gate_can_abort(
    metric: dict[str, Any], pause_s: int, ability: Ability, reason: str
) -> None:
    one = gate_of(watched(set_weight(20), pause(pause_s), **metric), "watch")
    assert one.ability is ability
    assert reason in one.reason
    assert (one.bound_s is not None) is (ability is Ability.ALWAYS)


def test_a_dry_run_and_a_run_that_never_starts() -> None:
    template, ref = background(9, interval="1m")
    late = planned(manifests(set_weight(20), templates=(template,), background=ref))
    assert gate_of(late, "watch").reason == "its run never starts"
    dry = planned(
        manifests(set_weight(20), templates=(template,), background=replace(ref, starting_step=0, dry_run=("watch",)))
    )
    assert gate_of(dry, "watch").reason == "a dry run aborts nothing"


def test_an_analysis_that_cannot_be_judged_aborts_every_release() -> None:
    template, ref = background(interval="1m", count=1, failureLimit=5)
    found = planned(manifests(set_weight(20), templates=(template,), background=ref))
    assert found.ending == "every release is aborted"
    assert "count (1) must be >= failureLimit" in found.gates[0].reason
    assert found.end == Instant(None, None)


def test_a_job_has_no_bound() -> None:
    template = gate("smoke", provider={"job": {"spec": {}}}, successCondition="")
    found = planned(manifests(set_weight(20), analysis("smoke"), templates=(template,)))
    assert [row.end.latest_s for row in found.rows[1:]] == [None, None, None]
    assert gate_of(found, "smoke").ability is Ability.MAYBE


def test_pods_that_never_come() -> None:
    steps = (pause(60), set_weight(20), pause(60))
    found = planned(manifests(*steps, progress_deadline_s=120, progress_deadline_abort=True))
    one = gate_of(found, "progress deadline")
    # A timed pause suspends the deadline; strictly after it, looked at a second later.
    assert one.ability is Ability.ALWAYS
    assert one.bound_s == pytest.approx(60 + 121, abs=0.2)
    marked = gate_of(planned(manifests(set_weight(20), progress_deadline_s=120)), "progress deadline")
    assert marked.ability is Ability.NEVER
    assert "Degraded after 2m" in marked.reason


def test_a_plugin_step_never_completes() -> None:
    found = planned(manifests(set_weight(20), CanaryStep(plugin="x/y"), pause(60)))
    assert found.ending == "step 2 (plugin x/y) never completes by itself"
    assert [row.end.earliest_s is None for row in found.rows] == [False, True, True, True]
    assert "not modelled" in " ".join(found.notes)


def test_an_experiment_adds_its_pods_and_its_time() -> None:
    body = Experiment(
        (ExperimentTemplate("a", replicas=2), ExperimentTemplate("b", "stable", replicas=1)), duration="5m"
    )
    found = planned(manifests(set_weight(10), CanaryStep(experiment=body), pause(60)))
    assert (found.rows[1].what, found.rows[1].other_pods, found.rows[1].pods) == ("experiment 5m", 3, 14)
    assert ends(found)[1] == (300, 600 + 599 + 300)


def test_blue_green_runs_both_versions_side_by_side() -> None:
    base = builders.blue_green_manifests(
        replicas=6, templates=(gate("smoke", interval="20s", count=3), gate("errors", interval="1m", failureLimit=2, count=9)),
        auto_promotion_s=300, pre_promotion=refs("smoke"), post_promotion=refs("errors"), scale_down_delay_s=60,
    )  # fmt: skip
    found = planned(base)
    assert [row.what for row in found.rows] == [
        "start 6 preview pods", "analysis before promotion", "pause 5m", "switch traffic", "analysis after promotion",
        "promote", "keep the old pods",
    ]  # fmt: skip
    assert [row.weight for row in found.rows] == [0, 0, 0, 100, 100, 100, 100]
    assert (found.peak.pods, found.peak.row) == (12, 0)
    before, after = gate_of(found, "smoke"), gate_of(found, "errors")
    assert before.exposure.full_traffic_s == 0
    assert after.exposure.full_traffic_s == pytest.approx(120, abs=0.2)
    assert found.unwatched == ()


def test_a_small_preview_and_a_person() -> None:
    base = builders.blue_green_manifests(replicas=6, preview_replica_count=2, auto_promotion_enabled=False)
    found = planned(base)
    assert [(row.what, row.candidate_pods) for row in found.rows[:3]] == [
        ("start 2 preview pods", 2), ("pause until promoted", 2), ("switch traffic", 6),
    ]  # fmt: skip
    assert found.rows[1].waits_for_person
    assert found.unwatched == (2,)


@pytest.mark.parametrize(
    ("delay", "gone_s"),
    [
        pytest.param(None, 30.0, id="default"),
        pytest.param(90, 90.0, id="written"),
        pytest.param(0, 0.0, id="0-goes-at-once-behind-a-router"),
    ],
)
def test_what_an_abort_leaves(delay: int | None, gone_s: float) -> None:
    found = planned(canary(manifests(set_weight(20), pause(60)), abort_scale_down_delay_s=delay))
    assert found.relief is not None
    off, gone = found.relief.traffic_off, found.relief.pods_gone
    assert (off.earliest_s, off.latest_s) == pytest.approx((0, 0), abs=0.1)
    assert (gone.earliest_s, gone.latest_s) == pytest.approx((gone_s, gone_s), abs=0.1)


def test_a_rolling_update_comes_in_batches() -> None:
    base = builders.deployment_manifests(
        replicas=4, max_surge=IntOrPercent(1), max_unavailable=IntOrPercent(0), template=INSTANT_PODS, min_ready_s=10.0
    )
    found = plan(worlds.scenario(base, deployment=True))
    assert isinstance(found, Timetable)
    assert [(row.what, row.weight) for row in found.rows] == [
        ("new pods 0 to 1", 25), ("new pods 1 to 2", 50), ("new pods 2 to 3", 75), ("new pods 3 to 4", 100),
    ]  # fmt: skip
    assert [round(row.end.earliest_s or 0) for row in found.rows] == [10, 20, 30, 40]
    assert (found.peak.pods, found.bound_s, found.unwatched) == (5, None, (0, 1, 2, 3))


def test_recreate_stops_the_old_pods_first() -> None:
    base = builders.deployment_manifests(replicas=3, recreate=True, template=INSTANT_PODS)
    found = plan(worlds.scenario(base, deployment=True))
    assert isinstance(found, Timetable)
    assert [row.what for row in found.rows] == ["stop the old pods", "new pods 0 to 3"]
    assert [round(row.end.latest_s or 0) for row in found.rows] == [30, 630]
    assert found.peak.pods == 3


def test_a_first_deployment_has_no_steps() -> None:
    template, ref = background(interval="1m")
    base = manifests(set_weight(20), pause(None), templates=(template,), background=ref)
    found = planned(base, first_deploy=True)
    assert [(row.what, row.pods) for row in found.rows] == [("start all pods", 10)]
    assert gate_of(found, "watch").reason == "its run never starts"
    assert not found.end.after_wait


def test_a_paused_spec_waits_before_anything_happens() -> None:
    found = planned(manifests(set_weight(20), paused=True))
    assert found.end.after_wait
    assert "nothing moves until a person resumes it" in found.notes[0]


def test_what_argo_refuses_has_no_timetable() -> None:
    found = plan(worlds.scenario(manifests(analysis("absent"))))
    assert isinstance(found, Refused)
    assert (found.subject, found.actor) == ("Rollout shop", "controller")
    assert "AnalysisTemplate 'absent' not found" in found.reason


def test_phases_follow_their_soaks() -> None:
    base = manifests(set_weight(50), pause(60))
    inner = worlds.scenario(base).strategy
    assert not isinstance(inner, Geographic)
    phases = (
        RegionPhase("first", (Region("tokyo", 0.4),), 3600.0),
        RegionPhase("rest", (Region("seoul", 0.3), Region("oregon", 0.3)), 0.0),
    )
    found = planned(base, strategy=Geographic(phases, inner))
    assert [(one.name, one.regions) for one in found.phases] == [("first", ("tokyo",)), ("rest", ("seoul", "oregon"))]
    assert found.phases[1].start.earliest_s == pytest.approx(3660, abs=0.1)
    assert found.end.earliest_s == pytest.approx(3720, abs=0.1)
    missing = planned(
        base, strategy=Geographic((RegionPhase("x", (Region("mars", 1.0, deployed=False),), 0.0),), inner)
    )
    assert missing.ending == "no manifest deploys to mars"


def test_a_switch_script_checks_after_the_switch() -> None:
    base = builders.deployment_manifests(replicas=3)
    script = SwitchScript(
        "shop", checks=5, interval_s=10, first_check_after_s=20, error_query="up", idle_deployed_by=None
    )
    found = planned(base, strategy=script)
    assert [(row.what, row.weight) for row in found.rows] == [
        ("validate blue", 0), ("switch to blue", 100), ("5 checks every 10s", 100),
    ]  # fmt: skip
    assert (found.end, found.bound_s) == (Instant(70.0, 70.0), 20.0)


@pytest.mark.parametrize(
    ("required", "duration", "ability"),
    [
        pytest.param(True, "", Ability.ALWAYS, id="required"),
        pytest.param(False, "10m", Ability.ALWAYS, id="long-enough"),
        pytest.param(False, "90s", Ability.NEVER, id="over-before-its-verdict"),
    ],
)
def test_an_analysis_of_an_experiment(*, required: bool, duration: str, ability: Ability) -> None:
    judged = (ExperimentAnalysis("errors", refs("errors"), required),)
    step = CanaryStep(experiment=Experiment((ExperimentTemplate("a", replicas=1),), duration, judged))
    template = gate("errors", interval="1m", count=5, failureLimit=2)
    one = gate_of(planned(manifests(step, set_weight(20), templates=(template,))), "errors")
    assert (one.where, one.ability) == ("step 1", ability)
    # Two intervals after its start, which is when the experiment's pods are there.
    assert one.bound_s == (None if ability is Ability.NEVER else pytest.approx(600 + 120, abs=1.5))
