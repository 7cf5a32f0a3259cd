"""Given, when, then, told on the twin in the cluster's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.backend import TwinBackend
from harness.choices import Decides
from harness.cluster.objects import Objects
from harness.steps import Given, Story, Then, When, failed_share
from harness.waiting import WaitError

SCENARIOS = Path(__file__).parents[1] / "recorded/scenarios"


def no_place() -> Objects:
    pytest.fail("nobody asked for a namespace")


@pytest.fixture
def story() -> Story:
    return Story(lambda _: TwinBackend(), no_place, lambda _: "two pods")


def test_a_story_is_told_to_its_end(story: Story) -> None:
    Given(story).scenario(SCENARIOS / "canary-errors-50.yaml").decided_by("twin")
    When(story).released(seed=3)
    then = Then(story)
    then.verdict("aborted").reason("success-rate").ended_within(100).failed_requests(at_most=0.5).as_in_the_twin()
    assert (story.seed, story.decides) == (3, Decides.TWIN)
    assert 0 < failed_share(story.ended)[0] < 0.5
    with pytest.raises(AssertionError, match="expected promoted, but the rollout ended aborted: RolloutAborted"):
        then.verdict("promoted")
    with pytest.raises(AssertionError, match="expected 'memory' in the reason"):
        then.reason("memory")
    with pytest.raises(AssertionError, match="expected an end within 1 s, but it took"):
        then.ended_within(1)
    with pytest.raises(AssertionError, match=r"expected at most 0\.00% failed, but"):
        then.failed_requests(at_most=0)


def test_compression_and_releases_are_given(story: Story) -> None:
    given = Given(story).scenario(SCENARIOS / "rolling-good.yaml", "client.timeout=1s")
    horizon_s = story.subject.scenario.horizon_s
    given.release("good").compressed(2)
    assert story.subject.scenario.horizon_s == horizon_s / 2


def test_the_order_is_kept(story: Story) -> None:
    with pytest.raises(AssertionError, match=r"given\.scenario"):
        When(story).released()
    with pytest.raises(AssertionError, match=r"when\.released\(\) comes first"):
        Then(story).verdict("promoted")


class Place:
    """A namespace that takes note."""

    namespace = "test"

    def __init__(self) -> None:
        self.done: list[str] = []

    def __getattr__(self, verb: str) -> object:
        return lambda *_, **__: self.done.append(verb)


def test_objects_are_touched_and_waited_for() -> None:
    place = Place()
    story = Story(lambda _: TwinBackend(), lambda: place, lambda _: "two pods")  # type: ignore[arg-type, return-value]
    Given(story).objects({"kind": "Pod"})
    When(story).applied({"kind": "Service"}).patched("Pod", "a", {"spec": {}}).deleted("Pod", "a")
    assert place.done == ["apply", "apply", "patch", "delete"]
    Then(story).soon(lambda objects: objects.namespace, "a name")
    with pytest.raises(WaitError, match="three pods: not within 0 s\ntwo pods"):
        Then(story).soon(lambda _: False, "three pods", 0)
