"""How steps, durations and progress read."""

from __future__ import annotations

import pytest

from sim.decide.canary import plan_text
from sim.decide.pauses import pause_seconds
from sim.model.rollout import CanaryScale, CanaryStep, Experiment, HeaderRoute, MirrorRoute, Pause
from tests.decide.builders import analysis, pause, release, routed, running, weight


@pytest.mark.parametrize(
    ("step", "text"),
    [
        pytest.param(weight(5), "setWeight 5", id="weight"),
        pytest.param(weight(0), "setWeight 0", id="weight of nothing"),
        pytest.param(pause("2m"), "pause 2m", id="timed pause"),
        pytest.param(pause(), "pause", id="open pause"),
        pytest.param(analysis(), "analysis", id="analysis"),
        pytest.param(CanaryStep(experiment=Experiment()), "experiment", id="experiment"),
        pytest.param(
            CanaryStep(set_canary_scale=CanaryScale(replicas=3)), "setCanaryScale replicas 3", id="scale by pods"
        ),
        pytest.param(
            CanaryStep(set_canary_scale=CanaryScale(weight=9)), "setCanaryScale weight 9", id="scale by weight"
        ),
        pytest.param(
            CanaryStep(set_canary_scale=CanaryScale(match_traffic_weight=True)),
            "setCanaryScale matchTrafficWeight",
            id="scale with the traffic",
        ),
        pytest.param(CanaryStep(set_header_route=HeaderRoute("beta")), "setHeaderRoute beta", id="header route"),
        pytest.param(CanaryStep(set_mirror_route=MirrorRoute("copy")), "setMirrorRoute copy", id="mirror route"),
        pytest.param(CanaryStep(plugin="acme/wait"), "plugin acme/wait", id="plugin"),
        pytest.param(CanaryStep(), "invalid step", id="nothing"),
    ],
)
def test_plan_text(step: CanaryStep, text: str) -> None:
    assert plan_text(step) == text


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        pytest.param(None, 0, id="open-ended"),
        pytest.param(90, 90, id="number"),
        pytest.param("90", 90, id="digits"),
        pytest.param("1h30m", 5400, id="Go duration"),
        pytest.param("1ms", 0, id="less than a second"),
        pytest.param("soon", -1, id="unreadable"),
        pytest.param("", -1, id="empty"),
    ],
)
def test_pause_seconds(duration: int | str | None, seconds: int) -> None:
    assert pause_seconds(Pause(duration)) == seconds


def test_notes_tell_the_story() -> None:
    world = running(routed(weight(10), pause("1m")))
    release(world, until_s=1100.0)
    told = [entry for _, entry in world.journal if isinstance(entry, str)]
    assert told[0] == "Rollout updated to revision 2"
    assert "Scaled up ReplicaSet app-v2 (revision 2) from 0 to 1" in told
    assert "Traffic weight updated from 0 to 10" in told
    assert "Rollout step 2/2 completed (pause 1m)" in told
    assert "Rollout completed update to revision 2 (v2): Completed all 2 canary steps" in told
