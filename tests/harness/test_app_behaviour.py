"""The application's arithmetic: what the twin computes for all requests at once, for one."""

from __future__ import annotations

import json
from collections import Counter
from math import exp
from statistics import mean, median

import pytest

from harness.app.behaviour import Behaviour, Delay, Fault, answer, end_s, influence, start_up_s
from harness.app.environment import acts_alone, environment, told
from harness.app.settings import Settings
from sim.model import behaviour as model
from sim.model.hashing import plain
from sim.model.telemetry import PrometheusTelemetry
from tests.harness.dice import dice


def fault(effect: model.Effect, **trigger: float) -> Fault:
    """An effect as a pod is told of it."""
    written = model.Fault("f", effect, model.Trigger(**trigger))
    return Fault.of(json.loads(json.dumps(plain(written))))


@pytest.mark.parametrize("shape", ["constant", "exponential", "lognormal"])
def test_a_delay_has_the_median_that_is_written(shape: str) -> None:
    random = dice(1)
    drawn = [Delay(0.2, shape, 0.5).draw_s(random) for _ in range(20_000)]
    assert median(drawn) == pytest.approx(0.2, rel=0.03)


def test_a_log_normal_delay_has_its_sigma() -> None:
    random = dice(2)
    drawn = [Delay(1.0, "lognormal", 0.5).draw_s(random) for _ in range(20_000)]
    assert mean(drawn) == pytest.approx(exp(0.5**2 / 2), rel=0.02)


def test_statuses_have_their_shares_and_the_rest_is_200() -> None:
    random = dice(3)
    counts = Counter(answer(((500, 0.05), (404, 0.1)), random.random()) for _ in range(20_000))
    assert counts[500] / 20_000 == pytest.approx(0.05, abs=0.005)
    assert counts[404] / 20_000 == pytest.approx(0.1, abs=0.007)
    assert set(counts) == {200, 404, 500}


def test_faults_add_up_as_in_the_twin() -> None:
    acting = [
        fault(model.Errors(0.1, 503)),
        fault(model.Slowdown(2.0, 0.1)),
        fault(model.Slowdown(3.0, 0.2)),
        fault(model.Leak(slowdown_per_hour=1.0)),
    ]
    found = influence(acting, age_s=1800.0)
    assert found.errors == ((503, 0.1),)
    assert found.factor == pytest.approx(2 * 3 * 1.5)
    assert found.add_s == pytest.approx(0.3)


def test_slow_starts_lengthen_the_drawn_time_in_turn() -> None:
    assert start_up_s([fault(model.SlowStart(2.0, 5.0)), fault(model.SlowStart(1.0, 1.0))], 10.0) == 26.0


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        pytest.param(model.Crash(), (0.0, 1), id="crash at once"),
        pytest.param(model.Leak(0.0, oom_after_s=90.0), (60.0, 137), id="killed for its memory at an age"),
        pytest.param(model.Leak(0.0, oom_after_s=10.0), (0.0, 137), id="killed for its memory before now"),
        pytest.param(model.Leak(0.5), None, id="a leak that is never killed"),
        pytest.param(model.Errors(1.0), None, id="errors end nothing"),
    ],
)
def test_ends_that_faults_bring(effect: model.Effect, expected: tuple[float, int] | None) -> None:
    assert end_s(fault(effect), 30.0, dice(4)) == expected


def test_a_crash_by_chance_has_the_mean_that_is_written() -> None:
    random = dice(5)
    ends = [end_s(fault(model.Crash(120.0)), 0.0, random) for _ in range(5_000)]
    assert mean(end[0] for end in ends if end is not None) == pytest.approx(120.0, rel=0.05)


@pytest.mark.parametrize(
    ("trigger", "side", "expected"),
    [
        pytest.param(model.Trigger(), "candidate", True, id="always"),
        pytest.param(model.Trigger(pod_age_s=60.0), "candidate", True, id="by age"),
        pytest.param(model.Trigger(above_rps_per_pod=60.0), "candidate", True, id="by load"),
        pytest.param(model.Trigger(start_s=60.0), "candidate", False, id="from a time on"),
        pytest.param(model.Trigger(duration_s=60.0), "candidate", False, id="for a time"),
        pytest.param(model.Trigger(above_weight=20.0), "candidate", False, id="by weight"),
        pytest.param(model.Trigger(), "stable", False, id="the stable version is there before time 0"),
    ],
)
def test_who_judges_a_fault(trigger: model.Trigger, side: str, expected: bool) -> None:
    own = model.Fault("own", model.Errors(0.5), trigger)
    assert acts_alone(own, side) is expected
    read = Behaviour.of(plain(model.VersionBehaviour("v", faults=(own,))), side)
    assert len(read.faults) == int(expected)


def test_the_environment_says_what_the_model_says() -> None:
    version = model.VersionBehaviour(
        "v2",
        model.Delay(0.08, model.Shape.EXPONENTIAL),
        ((500, 0.05),),
        concurrency=4,
        queue_limit=10,
        faults=(model.Fault("slow", model.Slowdown(2.0), model.Trigger(pod_age_s=30.0)),),
    )
    env = environment(
        version, "candidate", PrometheusTelemetry(preset_statuses=(500,)), ports=(80, 81), probes=("/up", "/")
    )
    read = Settings.of(env)
    assert read.behaviour.name == "v2"
    assert read.behaviour.service_time == Delay(0.08, "exponential", 0.5)
    assert (read.behaviour.statuses, read.behaviour.concurrency, read.behaviour.queue_limit) == (((500, 0.05),), 4, 10)
    assert read.behaviour.faults[0].pod_age_s == 30.0
    assert (read.side, read.ports, read.telemetry.preset_statuses) == ("candidate", (80, 81), (500,))
    assert "/up" in read.probes
    assert "/" not in read.probes


def test_what_a_pod_is_told_it_reads() -> None:
    sent = told([model.Fault("e", model.Errors(0.5, 502), model.Trigger(start_s=9.0, above_rps_per_pod=5.0))])
    read = [Fault.of(one) for one in json.loads(sent)]
    assert [(one.name, one.kind, one.above_rps_per_pod) for one in read] == [("e", "Errors", 5.0)]
