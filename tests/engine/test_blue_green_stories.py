"""Stories of blue-green rollouts that the controller's own end-to-end tests tell of a real cluster (test/e2e at head, named in each row)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.stories import BAD, LATE_POD, Story, at, do, expected, rollout, story, told

GREEN = "activeService: stable, previewService: canary"
NO_PREVIEW = "activeService: stable"
BY_HAND = "autoPromotionEnabled: false"
AT_ONCE = f"{GREEN}, {BY_HAND}, scaleDownDelaySeconds: 0"
PREVIEW_ONE = f"{GREEN}, previewReplicaCount: 1, scaleDownDelaySeconds: 5, {BY_HAND}"


def before(template: str) -> str:
    return f"prePromotionAnalysis: {{templates: [{{templateName: {template}}}]}}"


def after(template: str) -> str:
    return f"postPromotionAnalysis: {{templates: [{{templateName: {template}}}]}}"


STORIES = (
    story(
        "TestBlueGreenUpdate",
        rollout(f"blueGreen: {{{NO_PREVIEW}, scaleDownDelaySeconds: 10}}", 3),
        at(5, phase="Healthy", pods={1: 3, 2: 3}, active=2),
        at(20, phase="Healthy", pods={1: 0, 2: 3}),
    ),
    story(
        "TestBlueGreenPromoteFull",
        rollout(f"blueGreen: {{{NO_PREVIEW}, {BY_HAND}, {before('passing')}, {after('passing')}}}", 3),
        at(5, runs=("Running",)),
        do(5, "promote-full"),
        at(15, phase="Healthy", active=2, analyses=1),
    ),
    story(
        "TestBlueGreenProgressDeadlineExceededWithPause",
        rollout(f"blueGreen: {{{NO_PREVIEW}, {BY_HAND}}}", 1, "progressDeadlineSeconds: 5", pod=LATE_POD),
        at(8, phase="Degraded"),
        at(40, phase="Paused"),
        do(40, "promote"),
        at(50, phase="Healthy", active=2),
    ),
    story(
        "TestBlueGreenProgressDeadlineExceededWithoutPause",
        rollout(f"blueGreen: {{{NO_PREVIEW}}}", 1, "progressDeadlineSeconds: 5", pod=LATE_POD),
        at(8, phase="Degraded"),
        at(40, phase="Healthy", active=2),
    ),
    story(
        "TestBlueGreenPreviewReplicaCount",
        rollout(f"blueGreen: {{{PREVIEW_ONE}}}", 2),
        at(10, phase="Paused", pods={1: 2, 2: 1}, available=3),
        do(10, "promote"),
        at(14, phase="Healthy", pods={1: 2, 2: 2}),
    ),
    story(
        "TestBlueGreenPreviewReplicaCountPromoteFull",
        rollout(f"blueGreen: {{{NO_PREVIEW}, previewReplicaCount: 1, {BY_HAND}}}", 2, "progressDeadlineSeconds: 3"),
        at(20, phase="Paused", pods={1: 2, 2: 1}),
        do(20, "promote-full"),
        at(30, phase="Healthy", pods={1: 2, 2: 2}),
    ),
    story(
        "TestBlueGreenScaleDownDelay",
        rollout(f"blueGreen: {{{NO_PREVIEW}, scaleDownDelaySeconds: 86400, scaleDownDelayRevisionLimit: 2}}"),
        at(10, phase="Healthy", pods={1: 1, 2: 1}),
        do(10, "apply", release="three"),
        do(20, "apply", release="four"),
        at(30, phase="Healthy", pods={1: 0, 2: 1, 3: 1, 4: 1}),
    ),
    story(
        "TestBlueGreenExceedProgressDeadlineAbort-off",
        rollout(f"blueGreen: {{{NO_PREVIEW}, abortScaleDownDelaySeconds: 2}}", 1, "progressDeadlineSeconds: 1"),
        at(6, phase="Degraded", pods={1: 1, 2: 1}, abort=False),
        release=BAD,
    ),
    story(
        "TestBlueGreenExceedProgressDeadlineAbort-on",
        rollout(
            f"blueGreen: {{{NO_PREVIEW}, abortScaleDownDelaySeconds: 2}}",
            1,
            "progressDeadlineSeconds: 1",
            "progressDeadlineAbort: true",
        ),
        at(6, phase="Degraded", pods={1: 1, 2: 0}, abort=True),
        release=BAD,
    ),
    story(
        "TestBlueGreenScaleDownOnAbort",
        rollout(f"blueGreen: {{{PREVIEW_ONE}, abortScaleDownDelaySeconds: 1}}", 2),
        at(10, phase="Paused", pods={1: 2, 2: 1}),
        do(10, "abort"),
        at(13.5, phase="Degraded", pods={1: 2, 2: 0}),
    ),
    story(
        "TestBlueGreenAnalysis",
        rollout(f"blueGreen: {{{GREEN}, {BY_HAND}, {before('passing')}, {after('passing')}}}"),
        at(12, phase="Paused", analyses=1, active=1, preview=2),
        do(12, "promote"),
        at(14, phase="Progressing", pods={1: 1, 2: 1}, active=2, analyses=2),
        at(25, phase="Healthy", analyses=2, active=2, preview=2),
        do(25, "undo", revision=1),
        at(27, phase="Healthy", analyses=2, stable=3, active=3, preview=3),
    ),
    story(
        "TestBlueGreenPrePromotionFail",
        rollout(
            f"blueGreen: {{{GREEN}, abortScaleDownDelaySeconds: 0, previewReplicaCount: 1, {before('mended')}}}", 2
        ),
        at(20, phase="Degraded", analyses=1, stable=1, active=1, preview=2),
        do(40, "retry"),
        at(60, phase="Healthy", analyses=2, stable=2, active=2, preview=2),
    ),
    story(
        "TestBlueGreenPostPromotionFail",
        rollout(f"blueGreen: {{{GREEN}, {BY_HAND}, {after('failing')}}}"),
        at(10, phase="Paused", stable=1, active=1, preview=2),
        do(10, "promote"),
        at(12, stable=1, active=2, preview=2),
        at(25, phase="Degraded", analyses=1, stable=1, active=1, preview=2),
    ),
    story(
        "TestBlueGreenAbortAndUpdate",
        rollout(f"blueGreen: {{{GREEN}, {after('mended')}}}"),
        at(20, phase="Degraded", analyses=1, active=1, preview=2),
        do(26, "apply", release="three"),
        at(29, pods={1: 1, 2: 1, 3: 1}, dying=(2,), stable=1, preview=3),
        at(35, phase="Healthy", pods={1: 1, 2: 1, 3: 1}, dying=(1, 2), active=3, preview=3, analyses=2),
    ),
    story(
        "TestBlueGreenKitchenSink",
        rollout(
            f"blueGreen: {{{GREEN}, previewReplicaCount: 1, autoPromotionSeconds: 10, scaleDownDelaySeconds: 5,"
            f" {before('passing')}, {after('failing')}}}",
            2,
        ),
        at(10, phase="Paused", pods={1: 2, 2: 1}, active=1, preview=2, stable=1, analyses=1),
        at(15, pods={1: 2, 2: 1}, active=1, stable=1),
        at(19, pods={1: 2, 2: 2}, active=2, stable=1, analyses=2),
        at(26, phase="Degraded", pods={1: 2, 2: 2}, active=1, preview=2, stable=1),
    ),
    story(
        "TestBlueGreenDuration_Retry",
        rollout(f"blueGreen: {{{GREEN}, {BY_HAND}}}"),
        do(10, "abort"),
        at(15, phase="Degraded", abort=True),
        do(15, "retry"),
        at(20, phase="Paused", abort=False),
    ),
    story(
        "TestBlueGreenDuration_SupersededRollbackToStable",
        rollout(f"blueGreen: {{{GREEN}, {BY_HAND}}}"),
        at(10, phase="Paused"),
        do(10, "undo", revision=1),
        at(15, phase="Healthy", stable=3, active=3),
    ),
    story(
        "TestBlueGreenDuration_SpecPaused",
        rollout(f"blueGreen: {{{GREEN}}}"),
        do(10, "pause"),
        do(11, "apply", release="three"),
        at(30, phase="Paused"),
        do(30, "resume"),
        at(40, phase="Healthy", active=3),
    ),
    story(
        "TestEphemeralMetadata",
        rollout(
            f"blueGreen: {{{NO_PREVIEW}, {BY_HAND}, previewMetadata: {{labels: {{role: new}}}},"
            " activeMetadata: {labels: {role: old}}}",
            2,
        ),
        at(10, phase="Paused", roles={1: "old", 2: "new"}),
        do(10, "promote"),
        at(12, phase="Healthy", roles={1: "", 2: "old"}),
    ),
    story(
        "TestBlueGreenDuration_InitialRollout",
        rollout(f"blueGreen: {{{GREEN}, {BY_HAND}}}", 2),
        at(10, phase="Healthy", pods={1: 2}, stable=1, active=1),
        first_deploy=True,
    ),
    story(
        "TestBlueGreenDuration_SupersededRollback",
        rollout(f"blueGreen: {{{GREEN}, {BY_HAND}, scaleDownDelaySeconds: 30}}"),
        do(10, "promote"),
        at(15, phase="Healthy", stable=2),
        do(15, "apply", release="three"),
        at(20, phase="Paused"),
        do(20, "undo", revision=1),
        at(25, phase="Healthy", stable=4, active=4),
    ),
    story(
        "TestBlueGreenDuration_RollbackOutsideWindow",
        rollout(f"blueGreen: {{{AT_ONCE}}}", 1, "rollbackWindow: {revisions: 1}", "revisionHistoryLimit: 5"),
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
        "TestBlueGreenDuration_RollbackInsideWindow",
        rollout(f"blueGreen: {{{AT_ONCE}}}", 1, "rollbackWindow: {revisions: 1}", "revisionHistoryLimit: 5"),
        do(10, "promote"),
        do(20, "apply", release="three"),
        at(30, phase="Paused"),
        do(30, "undo", revision=1),
        at(40, phase="Healthy", stable=4),
    ),
)


@pytest.mark.parametrize("story", STORIES)
def test_a_blue_green_goes_as_on_a_real_cluster(story: Story, tmp_path: Path) -> None:
    assert told(story, tmp_path) == expected(story)
