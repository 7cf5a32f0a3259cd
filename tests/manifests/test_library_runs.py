from __future__ import annotations

from dataclasses import replace

import pytest

from scenarios import document, library
from sim.engine import run
from sim.model.records import DecisionRecord, Verdict, WeightRecord
from sim.model.scenario import Scenario


def scenario(variant: str, release: str) -> Scenario:
    base = document.load(library.playbook("canary", variant)).scenario
    (chosen,) = (one for one in base.mix if one.name == release)
    return replace(base, release=chosen)


def decided_s(variant: str, release: str, seed: int, decision: str) -> tuple[float, float]:
    """When the controller decided, and when the release first met traffic."""
    rows = run(scenario(variant, release), seed).journal
    (at_s,) = (row.t_s for row in rows if isinstance(row, DecisionRecord) and row.decision == decision)
    exposed = [row.t_s for row in rows if isinstance(row, WeightRecord) and row.candidate > 0]
    return at_s, exposed[0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_corrected_promotes_a_good_release_within_fifteen_minutes(seed: int) -> None:
    promoted_s, _ = decided_s("corrected", "good", seed, "promote")
    assert promoted_s < 15 * 60


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_corrected_aborts_five_percent_errors_within_two_minutes_of_exposure(seed: int) -> None:
    aborted_s, exposed_s = decided_s("corrected", "errors-5", seed, "abort")
    assert aborted_s - exposed_s < 2 * 60


@pytest.mark.slow
def test_repaired_promotes_a_good_release_after_55_minutes_and_pod_starts() -> None:
    promoted_s, _ = decided_s("repaired", "good", 1, "promote")
    assert 55 * 60 < promoted_s < 60 * 60


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_repaired_never_aborts_before_five_minutes(seed: int) -> None:
    aborted_s, _ = decided_s("repaired", "errors-5", seed, "abort")
    assert aborted_s >= 5 * 60


def test_as_written_is_rejected() -> None:
    result = run(scenario("as-written", "good"), 1)
    assert result.verdict is Verdict.REJECTED
    assert "successfulRunHistoryLimit" in result.reason
