"""The bounds that docs/model.md states for the data plane in aggregate: means and spreads of all that gates read."""

from __future__ import annotations

from itertools import product
from math import sqrt

import numpy as np
import pytest

from bench.cases.accuracy import LEAST, Setting, compared
from sim.model.behaviour import Shape, VersionBehaviour
from sim.model.load import Client, LoadShape, Stage
from sim.streams import Streams
from sim.traffic import Balancing, DataPlane, PodEffects, Pool, Route
from sim.traffic.aggregate import MixedPlane
from sim.traffic.interface import Plane

LOG, EXP, CONST = Shape.LOGNORMAL, Shape.EXPONENTIAL, Shape.CONSTANT
READ = ("rate", "errors", "average", "p50", "p90", "p95", "p99")
SURE = 4.5
"""Standard errors: about one false alarm in 150,000 comparisons."""


def hold(setting: Setting, windows: int, widths: tuple[str, ...], *, bias: float, narrow: float, wide: float) -> None:
    found = compared(setting, windows, 1)["by_width"]
    for width, name in product(widths, READ):
        one = found[width][name]
        assert abs(one["bias"]) < bias + SURE * one["bias_error"], (width, name, one)
        doubt = SURE * one["spread_ratio_error"]
        assert narrow - doubt < one["spread_ratio"] < wide + doubt, (width, name, one)


@pytest.mark.parametrize(
    "setting",
    [
        Setting(LOG, 8, 0.3, pods=1),
        Setting(LOG, 8, 0.66, pods=1),
        Setting(EXP, 8, 0.6, pods=1),
        Setting(LOG, 8, 0.5, pods=3, balancing=LEAST, retried=0.04),
    ],
    ids=["few-wait", "a-quarter-waits", "exponential", "proxied"],
)
def test_means_and_spreads_are_those_of_the_exact_plane(setting: Setting) -> None:
    hold(setting, 800, ("15",), bias=0.005, narrow=0.9, wide=1.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    [
        Setting(LOG, 8, 0.66, pods=4),
        Setting(LOG, 8, 0.6, pods=2, sigma=1.0),
        Setting(LOG, 32, 0.8, pods=1),
        Setting(LOG, 2, 0.4, pods=4),
        Setting(EXP, 1, 0.25, pods=4, mean_s=0.011),
        Setting(CONST, 8, 0.4, pods=2),
        Setting(LOG, 8, 0.6, pods=5, balancing=LEAST, proxies=3),
        Setting(LOG, 8, 0.5, pods=2, balancing=LEAST, proxies=3),
        Setting(LOG, 8, 0.6, pods=5, balancing=Balancing.ROUND_ROBIN),
        Setting(EXP, 8, 0.46, pods=2, balancing=LEAST, retried=0.05),
    ],
    ids=[
        "usual",
        "wide",
        "many-servers",
        "two-servers",
        "one-server",
        "constant",
        "three-proxies",
        "two-pods-three-proxies",
        "round-robin",
        "tried-again",
    ],
)
def test_means_and_spreads_are_bounded_up_to_the_limits(setting: Setting) -> None:
    hold(setting, 2400, ("15", "60"), bias=0.01, narrow=0.8, wide=1.2)


OUTCOMES = ("answers", "failed", "requests", "failures", "timeouts", "retries")


def outcomes(plane: Plane, behaviour: VersionBehaviour) -> list[float]:
    """Server's and clients' sides of a minute in which one of four pods crashes and another answers 503 and is slow."""
    for _ in range(4):
        plane.add_pod(behaviour, 0)
    plane.set_effects(1, PodEffects(((503, 0.2),), latency_factor=1.2, latency_add_s=0.02))
    plane.set_routes((Route(1.0, (Pool(3.0, (0, 1)), Pool(1.0, (2, 3)), Pool(0.1, ()))),))
    plane.advance(30.0)
    plane.crash_pod(2)
    windows = plane.observe([], (60.0,)).windows
    assert windows is not None
    failed = [k for k, code in enumerate(windows.codes) if code >= 500]
    answers = windows.answers[0].sum(axis=0)
    return [float(answers.sum()), float(answers[failed].sum()), *windows.clients[0].sum(axis=0).astype(float).tolist()]


def test_servers_and_clients_tell_the_same_story_as_in_the_exact_plane() -> None:
    behaviour = VersionBehaviour("v1", statuses=((500, 0.02), (404, 0.01)))
    load, client = LoadShape((Stage(60.0, 200.0),)), Client(timeout_s=0.15, retries=2)
    count = 150
    both = [
        np.array([outcomes(kind(load, client, Streams(seed)), behaviour) for seed in range(count)])
        for kind in (DataPlane, MixedPlane)
    ]
    exact, aggregate = both
    error = np.sqrt((exact.var(axis=0, ddof=1) + aggregate.var(axis=0, ddof=1)) / count)
    apart = np.abs(exact.mean(axis=0) - aggregate.mean(axis=0))
    for name, one, allowed in zip(OUTCOMES, apart, SURE * error + 0.005 * exact.mean(axis=0), strict=True):
        assert one < allowed, name
    ratio = aggregate.std(axis=0, ddof=1) / exact.std(axis=0, ddof=1)
    assert np.all(np.abs(ratio - 1) < 0.1 + SURE / sqrt(count)), dict(zip(OUTCOMES, ratio, strict=True))


def test_two_weights_under_one_seed_meet_much_the_same_chance() -> None:
    """Common random numbers: the difference of two strategies varies less than independent ones would."""

    def failures(weight: float, seed: int) -> float:
        plane = MixedPlane(LoadShape((Stage(60.0, 500.0),)), Client(), Streams(seed))
        good, bad = VersionBehaviour("v1"), VersionBehaviour("v2", statuses=((500, 0.05),))
        pods = [plane.add_pod(good if k < 6 else bad, int(k >= 6)) for k in range(9)]
        plane.set_routes((Route(1.0, (Pool(100 - weight, tuple(pods[:6])), Pool(weight, tuple(pods[6:])))),))
        windows = plane.observe([], tuple(15.0 * k for k in range(1, 9))).windows
        assert windows is not None
        return float(windows.clients[:, :, 1].sum())

    one, other = (np.array([failures(weight, seed) for seed in range(60)]) for weight in (20.0, 25.0))
    apart = np.array([failures(25.0, seed) for seed in range(100, 160)])
    assert (other - one).var(ddof=1) < 0.5 * (apart - one).var(ddof=1)
