"""The same stories under older controllers: what their own end-to-end tests tell too, and what only a later release mended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.model.controller import Controller
from tests.engine import test_analysis_stories, test_blue_green_stories, test_canary_stories, test_routed_stories
from tests.engine.stories import Story, at, expected, rollout, told

MODULES = (test_analysis_stories, test_blue_green_stories, test_canary_stories, test_routed_stories)
ROWS = [row for module in MODULES for row in module.STORIES]
TOLD_LATER = {
    "TestCanaryWithSpecPause",
    "TestSpecAndReplicaChangeSameTime",
    "TestCanaryScaleDownDelayWithProgressDeadline",
    "TestCanaryDynamicStableScaleAbortScaleDownDelay",
    "TestIstioSubsetSplitInStableDownscaleAfterCanaryAbort",
    "TestIstioPingPongUpdate",
    "TestCanaryInconclusiveBackgroundAnalysis",
    "TestCanaryBackgroundAnalysisLongRunningJob",
    "TestCanaryInlineAnalysisInvalidImageJob",
    "TestCanaryBackgroundAnalysisInvalidImageJob",
    "TestCanaryInlineAnalysisLongRunningJobWithDeadline",
    "TestCanaryBackgroundAnalysisLongRunningJobWithDeadline",
}
"""Not among the tests of 1.6; those of durations are not either."""
ALL_AT_ONCE = "TestCanaryDynamicStableScale"
"""1.6 tells of it too, but scales stable up in one go: the twin's pods are then ready together and there is no middle."""


def _in_release(row: Any, controller: Controller) -> Story:
    story: Story = row.values[0]
    return replace(story, changes={**story.changes, "controller": controller})


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.id)
        for row in ROWS
        if row.id not in TOLD_LATER and "Duration_" not in row.id and row.id != ALL_AT_ONCE
    ],
)
def test_what_1_6_tells_too_goes_so_in_1_6(row: Any, tmp_path: Path) -> None:
    story = _in_release(row, Controller.ARGO_1_6)
    assert told(story, tmp_path) == expected(story)


@pytest.mark.parametrize(
    ("name", "release", "at_s", "facts"),
    [
        ("TestCanaryScaleDownDelayWithProgressDeadline", Controller.ARGO_1_6, 20, {"phase": "Degraded"}),
        ("TestCanaryInconclusiveBackgroundAnalysis", Controller.ARGO_1_7, 60, {"phase": "Healthy"}),
        ("TestCanaryDynamicStableScaleAbortScaleDownDelay", Controller.ARGO_1_9, 60, {"pods": {1: 3, 2: 3}}),
        ("TestCanaryBackgroundAnalysisLongRunningJob", Controller.ARGO_1_9, 30, {"runs": ("Successful",)}),
        (
            "TestCanaryInlineAnalysisInvalidImageJob",
            Controller.ARGO_1_9,
            60,
            {"phase": "Progressing", "runs": ("Running",)},
        ),
        # The patch that takes the deadline away leaves the copy in hand as it was, which counts as a fast undo.
        ("TestBlueGreenDuration_Retry", Controller.ARGO_1_9, 20, {"phase": "Healthy"}),
    ],
)
def test_a_story_told_of_a_fix_goes_wrong_before_it(
    name: str, release: Controller, at_s: float, facts: dict[str, Any], tmp_path: Path
) -> None:
    seen = told(_in_release(next(row for row in ROWS if row.id == name), release), tmp_path)
    assert seen[at_s].items() >= facts.items()


@pytest.mark.parametrize(("release", "ended_s"), [(Controller.ARGO_1_9, 5.0), (Controller.ARGO_1_10, 6.0)])
def test_a_job_s_end_is_seen_at_once_before_1_10(release: Controller, ended_s: float, tmp_path: Path) -> None:
    """Since then not before the root of twice its age has passed since the last look."""
    manifests = rollout("canary: {steps: [{analysis: {templates: [{templateName: passing}]}}, {pause: {}}]}")
    before, after = at(ended_s - 0.2, runs=("Running",)), at(ended_s + 0.1, runs=("Successful",))
    story = Story(manifests, (before, after), {"controller": release})
    assert told(story, tmp_path) == expected(story)
