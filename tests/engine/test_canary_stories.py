"""Stories of canaries without a router that the controller's own end-to-end tests tell of a real cluster (test/e2e at head, named in each row)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import builders
from tests.engine.stories import BAD, LATE_POD, SLOW, Story, at, do, expected, rollout, story, told

HALF = "canary: {steps: [{setWeight: 50}, {pause: {}}]}"
QUARTER = "steps: [{setWeight: 25}, {pause: {}}]"
SURGE_ONE = "canary: {maxSurge: 1, maxUnavailable: 0}"
UP_AND_DOWN = (
    "[{setWeight: 100}, {pause: {}}, {setWeight: 0}, {pause: {}}, {setWeight: 100},"
    " {analysis: {templates: [{templateName: failing}]}}]"
)
WINDOW = "canary: {steps: [{setWeight: 50}, {analysis: {templates: [{templateName: passing}]}}]}"
STARTS_LATE = {"stable": builders.version("one", start_up=builders.constant(10))}


STORIES = (
    story(
        "TestRolloutScalingWhenPaused",
        rollout(f"canary: {{{QUARTER}}}"),
        at(10, phase="Paused", pods={1: 1, 2: 1}),
        do(10, "scale", replicas=8),
        at(20, pods={1: 6, 2: 2}, available=8),
        do(20, "scale", replicas=4),
        at(30, pods={1: 3, 2: 1}, available=4),
    ),
    story(
        "TestRolloutWithMaxSurgeScalingDuringUpdate",
        rollout('canary: {maxSurge: "100%"}', 4),
        at(5, pods={1: 3, 2: 4}),
        do(6, "scale", replicas=8),
        at(8, pods={1: 3, 2: 8}),
        do(9, "scale", replicas=4),
        at(12, pods={1: 3, 2: 4}),
        release=SLOW,
    ),
    story(
        "TestRolloutScalingDuringUpdate",
        rollout("canary: {maxSurge: 2, maxUnavailable: 0}", 4),
        at(5, pods={1: 4, 2: 2}),
        do(6, "scale", replicas=8),
        at(12, pods={1: 4, 2: 6}),
        do(12, "scale", replicas=4),
        at(20, pods={1: 4, 2: 2}),
        release=BAD,
    ),
    story(
        "TestReduceWeightAndHonorMaxUnavailable",
        rollout(f"canary: {{maxSurge: 2, maxUnavailable: 0, steps: {UP_AND_DOWN}}}", 3),
        at(20, phase="Paused", pods={1: 0, 2: 3}),
        do(20, "promote"),
        at(22, pods={1: 2, 2: 3}),
        at(50, phase="Paused", step=3, pods={1: 3, 2: 0}),
        do(50, "promote"),
        at(61, phase="Degraded", pods={1: 2, 2: 3}, analyses=1),
        **STARTS_LATE,
    ),
    story(
        "TestCanaryProgressDeadlineExceededWithPause",
        rollout("canary: {steps: [{setWeight: 20}, {pause: {}}]}", 3, "progressDeadlineSeconds: 5", pod=LATE_POD),
        at(8, phase="Degraded"),
        at(30, phase="Paused", pods={1: 3, 2: 1}),
        do(30, "promote"),
        at(38, phase="Degraded"),
        at(80, phase="Healthy"),
    ),
    story(
        "TestCanaryScaleDownOnAbortNoTrafficRouting",
        rollout(f"{HALF[:-1]}, canaryService: canary, stableService: stable}}"),
        at(9, phase="Paused", preview=2),
        do(10, "abort"),
        at(10.5, phase="Degraded", preview=1),
        at(13, pods={1: 1, 2: 0}),
    ),
    story(
        "TestCanaryWithPausedRollout",
        rollout("canary: {steps: [{setWeight: 20}, {pause: {}}], canaryService: canary, stableService: stable}", 3),
        at(10, phase="Paused"),
        do(10, "apply", release="three"),
        at(20, phase="Paused", pods={1: 3, 2: 0, 3: 1}),
    ),
    story(
        "TestCanaryWithSpecPause",
        rollout("canary: {steps: [{setWeight: 20}]}", 3, "progressDeadlineSeconds: 5", pod=LATE_POD),
        at(8, phase="Degraded"),
        at(60, phase="Healthy"),
        do(60, "pause"),
        at(70, phase="Paused"),
    ),
    story(
        "TestRolloutAbortRetryPromote",
        rollout("canary: {steps: [{setWeight: 50}, {pause: {duration: 3s}}]}"),
        at(2, phase="Paused", pods={1: 1, 2: 1}),
        do(2.5, "abort"),
        at(2.7, phase="Degraded", pods={1: 1, 2: 0}),
        do(3, "retry"),
        at(5, phase="Paused", pods={1: 1, 2: 1}),
        at(12, phase="Healthy", pods={1: 0, 2: 1}),
    ),
    story(
        "TestRolloutRestart",
        rollout(f'canary: {{maxUnavailable: "75%", {QUARTER}}}', 4),
        at(20, phase="Paused", pods={1: 3, 2: 1}, available=4),
        do(20, "restart"),
        at(20.5, pods={1: 3, 2: 1}, available=1),
    ),
    story(
        "TestRolloutGoodToBadUpdate",
        rollout(SURGE_ONE, 4, "progressDeadlineSeconds: 10"),
        at(15, phase="Degraded", pods={1: 4, 2: 1}),
        do(15, "apply", release="worse"),
        at(20, phase="Progressing"),
        at(40, phase="Degraded", pods={1: 4, 2: 0, 3: 1}),
        release=BAD,
    ),
    story(
        "TestRolloutBadToGoodUpdate",
        rollout(SURGE_ONE, 4, "progressDeadlineSeconds: 10"),
        at(15, phase="Degraded"),
        do(15, "apply", release="two"),
        at(60, phase="Healthy", pods={1: 0, 2: 4}),
        release=BAD,
        first_deploy=True,
    ),
    story(
        "TestRolloutBadToBadUpdate",
        rollout(SURGE_ONE, 4, "progressDeadlineSeconds: 10"),
        at(15, phase="Degraded"),
        do(15, "apply", release="worse"),
        at(20, phase="Progressing"),
        at(60, phase="Degraded", pods={1: 4, 2: 1}),
        release=BAD,
        first_deploy=True,
    ),
    story(
        "TestRolloutBadToGoodSetWeightUpdate",
        rollout(
            "canary: {maxSurge: 1, maxUnavailable: 0, steps: [{setWeight: 50}, {pause: {duration: 5s}}]}",
            4,
            "progressDeadlineSeconds: 10",
        ),
        at(15, phase="Degraded"),
        do(15, "apply", release="two"),
        at(60, phase="Healthy", pods={1: 0, 2: 4}),
        release=BAD,
        first_deploy=True,
    ),
    story(
        "TestRolloutPauseDurationGreaterThanProgressDeadlineSeconds",
        rollout(
            "canary: {steps: [{setWeight: 32}, {pause: {duration: 30s}}, {setWeight: 67}]}",
            3,
            "progressDeadlineSeconds: 5",
        ),
        at(20, phase="Paused"),
        at(60, phase="Healthy"),
    ),
    story(
        "TestCompleteRolloutRestart",
        rollout("canary: {steps: [{setWeight: 20}]}", 2, "progressDeadlineAbort: true", "progressDeadlineSeconds: 15"),
        at(20, phase="Healthy"),
        do(40, "restart"),
        at(60, phase="Healthy", abort=False, available=2),
    ),
    story(
        "TestSpecAndReplicaChangeSameTime",
        rollout(
            "canary: {steps: [{setWeight: 10}, {pause: {duration: 10s}}, {setWeight: 20}, {pause: {duration: 5s}}]}", 2
        ),
        do(0, "scale", replicas=3),
        at(5, phase="Paused"),
        do(5, "apply", release="three"),
        do(5, "scale", replicas=4),
        at(60, phase="Healthy", pods={1: 0, 2: 0, 3: 4}, available=4),
    ),
    story(
        "TestRollbackAnalysisWithinWindow",
        rollout(WINDOW, 2, "rollbackWindow: {revisions: 2}"),
        at(20, phase="Healthy", analyses=1),
        do(20, "apply", release="three"),
        at(40, phase="Healthy", analyses=2),
        do(40, "apply", release="four"),
        at(60, phase="Healthy", analyses=3),
        do(60, "apply", release="two"),
        at(80, phase="Healthy", analyses=3),
    ),
    story(
        "TestRollbackAnalysisOutsideWindow",
        rollout(WINDOW, 2, "rollbackWindow: {revisions: 2}"),
        do(20, "apply", release="three"),
        do(40, "apply", release="four"),
        at(60, phase="Healthy", analyses=3),
        do(60, "apply", release="five"),
        at(80, phase="Healthy", analyses=4),
        do(80, "apply", release="two"),
        at(100, phase="Healthy", analyses=5),
    ),
    story(
        "TestCanaryDuration_SpecPaused",
        rollout("canary: {steps: [{setWeight: 50}, {pause: {duration: 1s}}]}"),
        at(10, phase="Healthy"),
        do(10, "pause"),
        do(11, "apply", release="three"),
        at(30, phase="Paused"),
        do(30, "resume"),
        at(50, phase="Healthy", pods={1: 0, 2: 0, 3: 1}),
    ),
    story(
        "TestCanaryDuration_SupersededRollback",
        rollout(HALF),
        at(10, phase="Paused"),
        do(10, "undo", revision=1),
        at(15, phase="Healthy", pods={2: 0, 3: 1}),
    ),
    story(
        "TestCanaryDuration_RollbackOutsideWindow",
        rollout(HALF, 1, "rollbackWindow: {revisions: 1}", "revisionHistoryLimit: 5"),
        do(10, "promote"),
        do(20, "apply", release="three"),
        do(30, "promote"),
        do(40, "apply", release="four"),
        at(50, phase="Paused"),
        do(50, "undo", revision=1),
        at(60, phase="Paused"),
        do(60, "promote"),
        at(70, phase="Healthy", stable=5),
    ),
    story(
        "TestCanaryDuration_RollbackInsideWindow",
        rollout(HALF, 1, "rollbackWindow: {revisions: 1}", "revisionHistoryLimit: 5"),
        do(10, "promote"),
        do(20, "apply", release="three"),
        at(30, phase="Paused"),
        do(30, "undo", revision=1),
        at(40, phase="Healthy", stable=4),
    ),
    story(
        "TestEphemeralMetadata",
        rollout(
            f"{HALF[:-1]}, canaryMetadata: {{labels: {{role: new}}}}, stableMetadata: {{labels: {{role: old}}}}}}", 2
        ),
        at(10, phase="Paused", roles={1: "old", 2: "new"}),
        do(10, "promote"),
        at(20, phase="Healthy", roles={1: "", 2: "old"}),
    ),
    story(
        "TestCanaryDuration_InitialRollout",
        rollout(HALF, 2),
        at(10, phase="Healthy", pods={1: 2}, stable=1),
        first_deploy=True,
    ),
    story(
        "TestCanaryDuration_ScalingOnly",
        rollout(HALF),
        do(10, "promote"),
        do(20, "scale", replicas=2),
        at(30, phase="Healthy", pods={1: 0, 2: 2}, stable=2),
    ),
)


@pytest.mark.parametrize("story", STORIES)
def test_a_canary_goes_as_on_a_real_cluster(story: Story, tmp_path: Path) -> None:
    assert told(story, tmp_path) == expected(story)
