"""What a study is made of and what it returns: cells, strata, replications and their seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Generic, TypeVar

from sim.model.behaviour import Release
from sim.model.scenario import Scenario

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to be compared: a strategy (``name``) under one variant of the playbook."""

    name: str
    variant: str
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Stratum:
    """One kind of release of the mix; ``share`` of all releases are of this kind."""

    name: str
    good: bool
    share: float


@dataclass(frozen=True, slots=True)
class StratumResults(Generic[R]):
    """Reduced replications of one kind of release; ``values[i]`` was run with ``seeds[i]``."""

    stratum: Stratum
    seeds: Sequence[int]
    values: Sequence[R]


@dataclass(frozen=True, slots=True)
class CellResults(Generic[R]):
    """All replications of one cell, its strata in the order of the mix."""

    cell: Cell
    scenario_hash: str
    strata: tuple[StratumResults[R], ...]


@dataclass(frozen=True, slots=True)
class Study(Generic[R]):
    """All replications of all cells; equal inputs give equal studies, whatever the number of workers."""

    cells: tuple[CellResults[R], ...]
    replications: int
    seed: int
    key: str
    """Identity of cells, seed, model code and reduction: the name of its files in a store."""


def releases(scenario: Scenario) -> tuple[Release, ...]:
    """Kinds of release that a study of this scenario runs: its mix, or its one release where no mix is given."""
    return scenario.mix or (replace(scenario.release, share=1.0),)


def strata(scenario: Scenario) -> tuple[Stratum, ...]:
    """The kinds of release with shares scaled to sum to 1."""
    total = sum(release.share for release in releases(scenario))
    return tuple(Stratum(r.name, r.good, r.share / total) for r in releases(scenario))


def replication_seed(seed: int, stratum: str, index: int) -> int:
    """Seed of replication ``index`` of a kind of release; the cell plays no part.

    So all strategies and variants meet the same arrivals, faults and delays (common random numbers), and their
    differences can be taken pair by pair. 48 bits, which every JSON reader keeps exactly.
    """
    return int.from_bytes(blake2b(f"{seed}/{index}/{stratum}".encode(), digest_size=6).digest(), "big")
