"""Which variants share a path: the answer has to be right either way, and quick only when they do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.model.analysis import AnalysisTemplate
from sim.model.load import LoadShape, Stage
from sim.model.records import Verdict
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, Geographic, Region, RegionPhase
from sim.model.telemetry import PrometheusTelemetry, Telemetry
from sim.paths import Gates, judge_many
from tests.engine import builders
from tests.paths.worlds import PROVIDERS, VERSION, ref

STEPS = (builders.set_weight(40), builders.pause(60), builders.set_weight(70), builders.pause(30))
INLINE = (builders.set_weight(40), builders.analysis("gate"), builders.set_weight(70))


def gate(threshold: float = 0.02, **changes: Any) -> AnalysisTemplate:
    metric = {"name": "errors", "provider": PROVIDERS["errors"], "interval": "10s", "initialDelay": "15s"}
    condition = f"len(result) == 0 || isNaN(result[0]) || result[0] <= {threshold}"
    return AnalysisTemplate("gate", metrics_json=(json.dumps(metric | {"successCondition": condition} | changes),))


def variant(template: AnalysisTemplate, *, inline: bool = False, **changes: Any) -> Scenario:
    background = None if inline else ref("gate")
    manifests = builders.canary_manifests(
        INLINE if inline else STEPS, replicas=3, templates=(template,), background=background
    )
    base = builders.scenario(
        manifests,
        release=builders.release(good=False, error_ratio=0.05),
        load=LoadShape((Stage(60.0, 30.0),)),
        telemetry=Telemetry(prometheus=PrometheusTelemetry(scrape_interval_s=5.0, labels=VERSION)),
        warm_up_s=30.0,
        tail_s=20.0,
        horizon_s=900.0,
    )
    return replace(base, **changes)


def test_thresholds_limits_and_intervals_in_the_background_share_one_path() -> None:
    variants = [variant(gate(*one, failureLimit=2)) for one in ((0.01,), (0.03,), (0.5,))]
    variants += [
        variant(gate(0.01, failureLimit=0)),
        variant(gate(0.01, interval="7s")),
        variant(gate(0.01, initialDelay="40s")),
    ]
    judged = judge_many(variants, 1)
    assert judged.paths == 1
    assert not judged.simulated.any()
    assert list(judged.verdicts[[0, 2]]) == [Verdict.ABORTED, Verdict.PROMOTED]
    assert judged.abort_s[3] < judged.abort_s[0]
    assert judged.metrics[0] == "errors"
    assert judged.roles[0] == "background"
    assert judged.measurements[3] < judged.measurements[0]
    assert np.isnan(judged.abort_s[2])


def test_a_step_that_takes_longer_is_another_path() -> None:
    shorter, longer = ({"count": count, "failureLimit": count} for count in (2, 3))
    judged = judge_many([variant(gate(**one), inline=True) for one in (shorter, longer, shorter, longer)], 1)
    assert judged.paths == 2
    assert not judged.simulated.any()


def test_whatever_else_shapes_the_path_keeps_variants_apart() -> None:
    heavier = variant(gate())
    spec = heavier.manifests.rollouts[0]
    assert spec.canary is not None
    canary = replace(spec.canary, steps=(builders.set_weight(60), *STEPS[1:]))
    other = replace(heavier, manifests=replace(heavier.manifests, rollouts=(replace(spec, canary=canary),)))
    judged = judge_many([variant(gate()), other, variant(gate(0.03))], 1)
    assert judged.paths == 2


def test_gates_that_argo_refuses_are_refused() -> None:
    endless, ending = variant(gate(), inline=True), variant(gate(count=1), inline=True)
    judged = judge_many([ending, endless], 1)
    assert judged.verdicts[1] is Verdict.REJECTED
    assert judged.verdicts[0] is Verdict.ABORTED


def test_regions_one_after_another_are_simulated() -> None:
    scenario = variant(gate())
    phases = tuple(RegionPhase(name, (Region(name, 0.5),), soak_s=10.0) for name in ("east", "west"))
    geographic = replace(scenario, strategy=Geographic(phases, ArgoRollout("shop")))
    judged = judge_many([geographic], 1)
    assert judged.simulated.all()
    assert judged.of(0).result is not None


def test_a_judgement_can_be_read_by_itself() -> None:
    judged = judge_many([variant(gate(0.01)), variant(gate(0.5))], 1)
    aborted, promoted = judged.of(0), judged.of(1)
    assert len(judged) == 2
    assert aborted.step == 1
    assert aborted.result is None
    assert 0 < aborted.failures < aborted.requests
    assert promoted.abort_s is None
    assert promoted.step is None
    assert promoted.result is not None
    assert promoted.result.verdict is promoted.verdict
    assert promoted.requests > aborted.requests


def test_one_make_of_gates_serves_any_number_of_seeds() -> None:
    gates = Gates([variant(gate(0.01)), variant(gate(0.04))])
    first, second = gates.judge(1), gates.judge(2)
    assert first.abort_s[0] != second.abort_s[0] or first.failures[0] != second.failures[0]
    again = gates.judge(1)
    assert again.abort_s[0] == pytest.approx(first.abort_s[0], abs=0)


def test_nothing_is_said_of_nothing() -> None:
    assert len(judge_many([], 1)) == 0


def test_a_run_that_cannot_be_judged_aborts_at_once() -> None:
    judged = judge_many([variant(gate()), variant(gate(interval="soon"))], 1)
    assert list(judged.verdicts) == [Verdict.ABORTED, Verdict.ABORTED]
    assert judged.abort_s[1] < 10.0 < judged.abort_s[0]
