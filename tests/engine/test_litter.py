"""A replication gives back its memory at once, and leaves the collector as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from sim.engine import run
from sim.engine.litter import _PLENTY, swept
from sim.engine.local import LocalRun
from sim.engine.pods import Pod
from tests.engine import builders

SCENARIO = builders.scenario(builders.canary_manifests((builders.set_weight(20), builders.pause(30))))


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    was_on, thresholds = gc.isenabled(), gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    yield
    gc.set_threshold(*thresholds)
    (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_left_as_it_was(*, was_on: bool) -> None:
    (gc.enable if was_on else gc.disable)()
    run(SCENARIO, seed=1)
    assert (gc.isenabled(), gc.get_threshold()) == (was_on, (701, 11, 12))


def test_so_it_is_after_a_crash() -> None:
    gc.enable()
    with pytest.raises(KeyError), swept():
        crash()
    assert gc.get_threshold() == (701, 11, 12)


def crash() -> None:
    assert gc.get_threshold()[0] == _PLENTY
    raise KeyError


def test_nothing_of_a_replication_is_left_when_it_is_over() -> None:
    gc.enable()
    others = parts()
    result = run(SCENARIO, seed=1)
    assert [one for one in parts() if not any(one is other for other in others)] == []
    assert result.journal


def parts() -> list[LocalRun | Pod]:
    """Of replications, this one's and those that other tests have kept or left to the collector."""
    return [one for one in gc.get_objects() if isinstance(one, LocalRun | Pod)]


def test_it_is_not_interrupted_by_collections() -> None:
    gc.enable()
    run(SCENARIO, seed=1)
    before = collections()
    run(SCENARIO, seed=1)
    assert collections() == before + 1


def collections() -> int:
    found: list[dict[str, Any]] = gc.get_stats()
    return sum(int(one["collections"]) for one in found)


def test_who_makes_far_more_is_collected_all_the_same() -> None:
    gc.enable()
    with swept():
        before = collections()
        litter = [[one] for one in range(_PLENTY + 1000)]
        assert collections() > before
    assert litter


def test_what_is_still_needed_stays() -> None:
    gc.enable()
    with swept():
        loop: list[object] = [1, 2, 3]
        loop.append(loop)
    assert loop[:3] == [1, 2, 3]
