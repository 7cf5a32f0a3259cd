"""A replication gives back its memory at once, and leaves the collector as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from sim.engine import run
from sim.engine.litter import swept
from sim.engine.local import LocalRun
from sim.engine.pods import Pod
from tests.engine import builders

SCENARIO = builders.scenario(builders.canary_manifests((builders.set_weight(20), builders.pause(30))))


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    was_on = gc.isenabled()
    yield
    (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_left_as_it_was(*, was_on: bool) -> None:
    (gc.enable if was_on else gc.disable)()
    run(SCENARIO, seed=1)
    assert gc.isenabled() is was_on


def test_so_it_is_after_a_crash() -> None:
    gc.enable()
    with pytest.raises(KeyError), swept():
        crash()
    assert gc.isenabled()


def crash() -> None:
    assert not gc.isenabled()
    raise KeyError


def test_nothing_of_a_replication_is_left_when_it_is_over() -> None:
    gc.enable()
    result = run(SCENARIO, seed=1)
    left = [one for one in gc.get_objects() if isinstance(one, LocalRun | Pod)]
    assert not left
    assert result.journal


def test_what_is_still_needed_stays() -> None:
    gc.enable()
    with swept():
        loop: list[object] = [1, 2, 3]
        loop.append(loop)
    assert loop[:3] == [1, 2, 3]
