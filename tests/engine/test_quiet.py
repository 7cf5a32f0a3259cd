"""A world without clients takes short cuts; they must not show."""

from __future__ import annotations

import pytest

from bench.cases.control_plane import quiet
from sim.engine import run
from sim.model.behaviour import Crash, Fault, Side, Target
from sim.model.load import LoadShape, Stage
from sim.model.records import Verdict
from sim.model.scenario import Scenario
from tests.engine import builders
from tests.engine.test_canary import BY_VERSION, playbook_manifests, short_manifests

SILENT = LoadShape((Stage(60.0, 0.0),))
CRASHES = Fault("crashes", Crash(60.0), target=Target(Side.STABLE, 0.3))


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(builders.scenario(short_manifests(), load=SILENT), id="canary"),
        pytest.param(
            builders.scenario(playbook_manifests(), load=SILENT, telemetry=BY_VERSION), id="gates-without-data"
        ),
        pytest.param(builders.scenario(short_manifests(), load=SILENT, faults=(CRASHES,)), id="crashes"),
    ],
)
def test_silence_is_simulated_as_it_would_be_request_by_request(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_cut = run(scenario, seed=1)
    monkeypatch.setattr(LoadShape, "is_silent", False)
    assert run(scenario, seed=1).journal == short_cut.journal


@pytest.mark.parametrize("variant", ["repaired", "corrected"])
def test_the_benchmarked_rollout_takes_all_of_its_steps(variant: str) -> None:
    result = run(quiet(variant), seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert result.ended_s > 600
