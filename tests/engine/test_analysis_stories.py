"""Stories of analyses and experiments that the controller's own end-to-end tests tell of a real cluster (test/e2e at head, named in each row)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.stories import Story, at, do, expected, rollout, story, told


def gate(*templates: str) -> str:
    return f"{{analysis: {{templates: [{', '.join(f'{{templateName: {name}}}' for name in templates)}]}}}}"


def background(template: str, starting: int = 0) -> str:
    return f"analysis: {{templates: [{{templateName: {template}}}], startingStep: {starting}}}"


STORIES = (
    story(
        "TestCanaryPromoteFull",
        rollout(
            f"canary: {{{background('passing', 4)},"
            f" steps: [{{pause: {{duration: 24h}}}}, {gate('lasting')}, {{pause: {{}}}}, {gate('passing')}]}}"
        ),
        at(10, phase="Paused", step=0, analyses=0),
        do(10, "promote"),
        at(15, phase="Progressing", step=1, runs=("Running",)),
        do(15, "promote"),
        at(20, phase="Paused", step=2),
        do(20, "abort"),
        do(22, "promote-full"),
        at(30, phase="Healthy", analyses=1),
    ),
    story(
        "TestCanaryBackgroundAnalysis",
        rollout(f"canary: {{{background('watching')}, steps: [{{setWeight: 10}}, {{pause: {{}}}}]}}"),
        at(10, phase="Paused", runs=("Running",)),
        do(10, "promote"),
        at(20, phase="Healthy", runs=("Successful",)),
    ),
    story(
        "TestCanaryInconclusiveBackgroundAnalysis",
        rollout(
            f"canary: {{{background('doubting', 1)}, steps: [{{setWeight: 10}}, {{pause: {{duration: 30s}}}}]}}", 2
        ),
        at(10, phase="Paused", runs=("Running",)),
        at(60, phase="Paused", runs=("Inconclusive",), message="InconclusiveAnalysisRun"),
    ),
    story(
        "TestCanaryInlineAnalysis",
        rollout(
            f"canary: {{steps: [{{setWeight: 10}}, {gate('passing')}, {{pause: {{}}}}, {gate('passing')}, {gate('passing')}]}}"
        ),
        at(15, phase="Paused", runs=("Successful",)),
        do(15, "promote"),
        at(40, phase="Healthy", analyses=3),
    ),
    story(
        "TestCanaryInlineMultipleAnalysis",
        rollout(f"canary: {{steps: [{{setWeight: 10}}, {{pause: {{}}}}, {gate('late', 'passing')}]}}"),
        do(10, "promote"),
        at(17, runs=("Running",)),
        at(40, phase="Healthy", runs=("Successful",)),
    ),
    story(
        "TestCanaryFailInlineMultipleAnalysis",
        rollout(f"canary: {{steps: [{{setWeight: 10}}, {{pause: {{}}}}, {gate('never', 'failing')}]}}"),
        at(10, phase="Paused"),
        do(10, "promote"),
        at(11, phase="Progressing"),
        at(30, phase="Degraded", runs=("Failed",)),
    ),
    story(
        "TestRolloutWithExperimentAndAnalysis",
        rollout(
            "canary: {steps: [{experiment: {templates: [{name: baseline, specRef: stable}, {name: try, specRef: canary}],"
            " analyses: [{name: judge, templateName: passing, requiredForCompletion: true}]}}, {pause: {}}]}"
        ),
        at(5, step=0),
        at(20, phase="Paused", step=1),
        do(20, "promote"),
        at(30, phase="Healthy"),
    ),
    story(
        "TestCanaryBackgroundAnalysisLongRunningJob",
        rollout(f"canary: {{{background('lasting')}, steps: [{{setWeight: 10}}, {{pause: {{duration: 10s}}}}]}}"),
        at(5, phase="Paused", runs=("Running",)),
        at(30, phase="Healthy", runs=("Inconclusive",)),
    ),
    story(
        "TestCanaryInlineAnalysisInvalidImageJob",
        rollout(f"canary: {{steps: [{{setWeight: 10}}, {gate('unpulled')}]}}"),
        at(60, phase="Paused", runs=("Inconclusive",), message="InconclusiveAnalysisRun"),
    ),
    story(
        "TestCanaryBackgroundAnalysisInvalidImageJob",
        rollout(f"canary: {{{background('unpulled')}, steps: [{{setWeight: 10}}, {gate('lasting')}]}}"),
        at(60, phase="Paused", runs=("Inconclusive", "Running"), step=1),
    ),
    story(
        "TestCanaryInlineAnalysisLongRunningJobWithDeadline",
        rollout(f"canary: {{steps: [{{setWeight: 10}}, {gate('failing')}]}}"),
        at(60, phase="Degraded", runs=("Failed",)),
    ),
    story(
        "TestCanaryBackgroundAnalysisLongRunningJobWithDeadline",
        rollout(f"canary: {{{background('failing')}, steps: [{{setWeight: 10}}, {{pause: {{duration: 60s}}}}]}}"),
        at(60, phase="Degraded", runs=("Failed",)),
    ),
    story(
        "TestMultipleAnalysis",
        rollout(f"canary: {{steps: [{gate('passing', 'late')}]}}"),
        at(40, phase="Healthy", runs=("Successful",)),
    ),
)


@pytest.mark.parametrize("story", STORIES)
def test_an_analysis_goes_as_on_a_real_cluster(story: Story, tmp_path: Path) -> None:
    assert told(story, tmp_path) == expected(story)
