"""From commit to apply."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.engine import run
from sim.model.gitops import Application, AppProject, SyncWindow
from sim.model.manifests import ManifestSet
from sim.model.records import DeliveryRecord, RunResult, Verdict
from sim.model.scenario import Delivery, DeliveryStep
from sim.model.strategy import RollingUpdate
from tests.engine import builders

STEPS = (
    DeliveryStep("review", builders.constant(3600)),
    DeliveryStep("build", builders.constant(600)),
    DeliveryStep("verify", builders.constant(900), after_rollout=True),
)


def delivered(manifests: ManifestSet, delivery: Delivery, seed: int = 1) -> RunResult:
    return run(builders.scenario(manifests, RollingUpdate("shop"), delivery=delivery), seed)


def rows(result: RunResult) -> list[DeliveryRecord]:
    return [row for row in result.journal if isinstance(row, DeliveryRecord)]


def windowed(*windows: SyncWindow) -> ManifestSet:
    project = AppProject("shop", windows=windows)
    return replace(
        builders.deployment_manifests(), applications=(Application("shop", project="shop"),), projects=(project,)
    )


def test_steps_end_where_the_next_begins_and_the_last_at_the_apply() -> None:
    found = rows(delivered(builders.deployment_manifests(), Delivery(STEPS)))
    before = found[:3]
    assert [row.step for row in found] == ["review", "build", "git poll", "verify"]
    assert before[-1].t_s == 0.0
    assert 0 <= before[-1].duration_s <= 180
    assert before[1].t_s == pytest.approx(-before[2].duration_s, abs=1e-5)
    assert before[0].t_s == pytest.approx(before[1].t_s - 600, abs=1e-5)


def test_steps_after_the_rollout_follow_its_end() -> None:
    result = delivered(builders.deployment_manifests(), Delivery(STEPS))
    assert rows(result)[-1].t_s == pytest.approx(result.ended_s + 900, abs=1e-5)


def test_an_allow_window_makes_automatic_sync_wait() -> None:
    window = SyncWindow("allow", "0 10 * * 2", "1h", applications=("*",))
    waits = [rows(delivered(windowed(window), Delivery(application="shop"), seed))[-1].duration_s for seed in range(8)]
    assert max(waits) <= 7 * 86400
    assert sum(waits) / len(waits) > 86400


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        pytest.param(SyncWindow("deny", "0 0 * * *", "25h", applications=("*",)), "no room", id="daily"),
        pytest.param(SyncWindow("deny", "* * * * *", "100000h", applications=("*",)), "no room", id="every-minute"),
        pytest.param(SyncWindow("deny", "@daily", "1h", applications=("*",)), "cannot parse schedule", id="schedule"),
        pytest.param(
            SyncWindow("deny", "0 0 * * *", "7d", applications=("*",)), "cannot parse duration", id="duration"
        ),
        pytest.param(SyncWindow("deny", "0 0 * * *", "1h", "Mars", ("*",)), "bad location", id="time-zone"),
    ],
)
def test_a_release_that_can_never_sync_is_rejected(window: SyncWindow, reason: str) -> None:
    result = delivered(windowed(window), Delivery(application="shop"))
    assert result.verdict is Verdict.REJECTED
    assert reason in result.reason
