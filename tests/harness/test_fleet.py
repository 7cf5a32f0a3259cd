"""Clusters for a tour of regions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from harness.cluster.cluster import Cluster
from harness.cluster.fleet import Fleet


def cluster(name: str) -> Cluster:
    return cast("Cluster", name)


def test_a_second_cluster_is_made_once_when_it_is_needed_and_goes_with_the_fleet() -> None:
    told: list[str] = []

    @contextmanager
    def another() -> Iterator[Cluster]:
        told.append("made")
        yield cluster("second")
        told.append("gone")

    with Fleet(cluster("first"), another) as fleet:
        assert (fleet.size, fleet.at(0), told) == (2, cluster("first"), [])
        assert (fleet.at(1), fleet.at(1)) == (cluster("second"), cluster("second"))
        assert told == ["made"]
    assert told == ["made", "gone"]


def test_a_fleet_may_have_one_cluster_only() -> None:
    with Fleet(cluster("first")) as fleet:
        assert (fleet.size, fleet.at(1)) == (1, cluster("first"))
