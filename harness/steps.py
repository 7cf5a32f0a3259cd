"""Given, when, then: tests of rollouts on a real cluster that read as sentences.

    def test_a_release_full_of_errors_is_stopped(given, when, then):
        given.scenario("shop.yaml").release("bad")
        when.released()
        then.verdict("aborted").reason("success-rate").as_in_the_twin()

Every wait has a name and a time limit and says what was there instead; a run's files are in the folder that errors name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from harness.backend import Backend, TwinBackend
from harness.choices import Decides
from harness.cluster.objects import Object, Objects
from harness.waiting import wait_until
from scenarios.compression import compressed
from scenarios.document import Loaded, from_manifests, load
from sim.model.records import RunResult, TrafficRecord, Verdict

SOON_S = 120.0


@dataclass
class Story:
    """What one test is about. ``place`` makes the test's namespace when it is first asked for."""

    backend: Callable[[Decides], Backend]
    place: Callable[[], Objects]
    dump: Callable[[Objects], str]
    """Writes down what a namespace looks like; a few lines of it."""
    decides: Decides = Decides.ARGO
    loaded: Loaded | None = None
    seed: int = 1
    result: RunResult | None = field(default=None, repr=False)

    @property
    def subject(self) -> Loaded:
        """The scenario."""
        assert self.loaded is not None, "given.scenario(...) or given.manifests(...) comes first"  # noqa: S101 a test's error
        return self.loaded

    @property
    def ended(self) -> RunResult:
        """The run."""
        assert self.result is not None, "when.released() comes first"  # noqa: S101 a test's error
        return self.result


@dataclass(frozen=True)
class _Steps:
    story: Story


class Given(_Steps):
    """What is there before anything happens."""

    def scenario(self, file: str | Path, *overrides: str) -> Self:
        """A scenario file, with ``key=value`` overrides; BadInput with everything that is wrong with it."""
        self.story.loaded = load(Path(file), overrides)
        return self

    def manifests(self, *files: str | Path, overrides: tuple[str, ...] = ()) -> Self:
        """Bare manifests, in the default world."""
        self.story.loaded = from_manifests([Path(file) for file in files], overrides)
        return self

    def release(self, name: str) -> Self:
        """The kind of release that is rolled out; KeyError if the scenario has none of that name."""
        self.story.loaded = self.story.subject.with_release(name)
        return self

    def compressed(self, factor: float) -> Self:
        """Time runs ``factor`` times as fast, on the cluster and in the twin."""
        self.story.loaded = compressed(self.story.subject, factor)
        return self

    def decided_by(self, who: str) -> Self:
        """Who decides about a Rollout: ``argo``, the real controller, or ``twin``."""
        self.story.decides = Decides(who)
        return self

    def objects(self, *objects: Object) -> Self:
        """Kubernetes objects in the test's own namespace."""
        for obj in objects:
            self.story.place().apply(obj)
        return self


class When(_Steps):
    """What happens."""

    def released(self, seed: int = 1) -> Self:
        """The scenario's release is rolled out under its load, from an empty namespace to its end."""
        story = self.story
        story.seed = seed
        story.result = story.backend(story.decides).run(story.subject, seed)
        return self

    def applied(self, *objects: Object) -> Self:
        """Objects are applied in the test's own namespace."""
        for obj in objects:
            self.story.place().apply(obj)
        return self

    def patched(self, kind: str, name: str, patch: dict[str, Any], *, subresource: str = "") -> Self:
        """An object is changed by a JSON merge patch."""
        self.story.place().patch(kind, name, patch, subresource=subresource)
        return self

    def deleted(self, kind: str, name: str, *, grace_s: int | None = None) -> Self:
        """An object is deleted."""
        self.story.place().delete(kind, name, grace_s=grace_s)
        return self


class Then(_Steps):
    """What must be true. The first thing that is not is an AssertionError that says what was there instead."""

    def verdict(self, verdict: str) -> Self:
        """The rollout ended so: promoted, aborted, undone, degraded, rejected or stuck."""
        ended, wanted = self.story.ended, Verdict(verdict)
        _hold(ended.verdict is wanted, f"{wanted}, but the rollout ended {ended.verdict}: {ended.reason}")
        return self

    def reason(self, part: str) -> Self:
        """The reason of the end contains this."""
        _hold(part in self.story.ended.reason, f"{part!r} in the reason, which is {self.story.ended.reason!r}")
        return self

    def ended_within(self, seconds: float) -> Self:
        """The rollout came to its end no later than this after it was applied."""
        ended_s = self.story.ended.ended_s
        _hold(ended_s <= seconds, f"an end within {seconds:g} s, but it took {ended_s:.1f} s")
        return self

    def failed_requests(self, *, at_most: float) -> Self:
        """Of all requests since the apply, at most this share finally failed."""
        share, requests = failed_share(self.story.ended)
        _hold(share <= at_most, f"at most {at_most:.2%} failed, but {share:.2%} of {requests} requests did")
        return self

    def as_in_the_twin(self, *, within: float = 0.10, within_s: float = 15.0) -> Self:
        """The twin ends the same way, and as soon, within a share of its time or so many seconds, whichever is more."""
        ended, twin = self.story.ended, TwinBackend().run(self.story.subject, self.story.seed)
        _hold(ended.verdict is twin.verdict, f"{twin.verdict} as in the twin ({twin.reason}), not {ended.verdict}")
        error_s, limit_s = abs(ended.ended_s - twin.ended_s), max(within_s, within * twin.ended_s)
        _hold(
            error_s <= limit_s,
            f"an end within {limit_s:.1f} s of the twin's {twin.ended_s:.1f} s, but it was at {ended.ended_s:.1f} s",
        )
        return self

    def soon(self, predicate: Callable[[Objects], object], name: str, timeout_s: float = SOON_S) -> Self:
        """The predicate about the test's namespace becomes true; otherwise WaitError with all that is there."""
        objects = self.story.place()
        wait_until(lambda: predicate(objects), name, timeout_s, lambda: self.story.dump(objects))
        return self


def failed_share(result: RunResult) -> tuple[float, int]:
    """Which share of how many requests finally failed from the apply on."""
    rows = [row for row in result.journal if isinstance(row, TrafficRecord) and row.t_s > 0]
    requests = sum(row.client_requests for row in rows)
    return sum(row.client_failures for row in rows) / max(requests, 1), requests


def _hold(true: bool, otherwise: str) -> None:
    if not true:
        message = f"expected {otherwise}"
        raise AssertionError(message)
