"""The tables of waits against queueing theory."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp
from pathlib import Path

import numpy as np
import pytest

from sim.model.behaviour import Delay, Shape
from sim.model.telemetry import PROMETHEUS_BUCKETS_S
from sim.traffic.aggregate import kept, waits
from sim.traffic.aggregate.profiles import Kind, limit_of, profile
from sim.traffic.aggregate.waits import Service, simulated, waiting, waits_of


@pytest.mark.parametrize(("servers", "utilisation"), [(1, 0.3), (2, 0.5), (8, 0.6)])
def test_as_many_wait_as_erlang_says(servers: int, utilisation: float) -> None:
    waits = waits_of(Service(Shape.EXPONENTIAL, 0.0, 0, servers), utilisation)
    assert waits.share.sum() == pytest.approx(waiting(servers, utilisation), rel=0.03)


@pytest.mark.parametrize(("shape", "sigma"), [(Shape.CONSTANT, 0.0), (Shape.EXPONENTIAL, 0.0), (Shape.LOGNORMAL, 0.5)])
def test_they_wait_as_long_as_pollaczek_and_khinchine_say(shape: Shape, sigma: float) -> None:
    second_moment = {Shape.CONSTANT: 1.0, Shape.EXPONENTIAL: 2.0, Shape.LOGNORMAL: exp(sigma**2)}[shape]
    waits = waits_of(Service(shape, sigma, 0, 1), 0.5)
    mean = float((waits.share * waits.points.mean(axis=1)).sum())
    assert mean == pytest.approx(0.5 * second_moment / (2 * 0.5), rel=0.01)


def test_few_wait_at_low_utilisation_and_nobody_at_none() -> None:
    service = Service(Shape.LOGNORMAL, 0.5, 0, 8)
    assert waits_of(service, 0.0).share.sum() == 0
    assert waits_of(service, 0.05).share.sum() < 1e-4


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for tables, and none in memory."""
    monkeypatch.setattr(kept, "folder", lambda: tmp_path / "tables")
    simulated.cache_clear()
    yield tmp_path / "tables"
    simulated.cache_clear()


RARELY = Service(Shape.CONSTANT, 0.0, 0, 3)


def test_a_table_is_made_once_for_all_processes(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = simulated(RARELY, 2)
    (file,) = tables.iterdir()
    simulated.cache_clear()
    monkeypatch.setattr(waits, "_queued", None)
    assert all(np.array_equal(one, other) for one, other in zip(made, simulated(RARELY, 2), strict=True))
    file.write_bytes(file.read_bytes()[:100])
    simulated.cache_clear()
    with pytest.raises(TypeError, match="not callable"):
        simulated(RARELY, 2)


def test_tables_are_made_where_none_can_be_kept(tables: Path) -> None:
    tables.write_text("no folder")
    assert simulated(RARELY, 2).share.sum() > 0


def test_a_profile_has_all_answers_and_their_mean_latency() -> None:
    kind = Kind(Delay(0.04), 1.5, 0.01, 8)
    made = profile(kind, 30, PROMETHEUS_BUCKETS_S, 1.0, False)
    assert made.mass.sum() == pytest.approx(1.0)
    assert (made.mass.sum(axis=0) * made.middle_s).sum() == pytest.approx(made.sojourn_s)
    assert made.sojourn_s > kind.mean_s


def test_limits_are_those_of_the_documentation() -> None:
    def limit(servers: int, mean_s: float = 0.045, shape: Shape = Shape.LOGNORMAL) -> float:
        return limit_of(Kind(Delay(mean_s, shape), 1.0, 0.0, servers), 0.8, 0.25, 1.5)

    assert limit(1) == pytest.approx(0.25, abs=0.001)
    assert limit(2) == pytest.approx(0.42, abs=0.01)
    assert limit(8) == pytest.approx(0.69, abs=0.01)
    assert limit(64) == 0.8
    assert limit(8, mean_s=5.0) < 0.3
    assert limit(8, shape=Shape.CONSTANT) < 0.5
