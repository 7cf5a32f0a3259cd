"""Settings that differ only in what their gates put up with: one path tells of every one of them that it does not end.

Until its first abort a replication does not depend on limits and thresholds (``sim.paths``). So a good release, which most
settings let pass, is simulated once for several. What is kept is what a run of each setting's own would have given, under
the same key: whoever asks for it finds it there. Bad releases are aborted, each setting at an instant of its own, and what
comes after an abort takes a run of that setting.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reports.outcome import outcome_of
from rolltwin.tuning.baselines import Values
from scenarios.settings import Bound
from sim.model.hashing import canonical_json
from sim.model.scenario import Scenario
from sim.study import Cell, Engine, strata
from sim.study.jobs import Job, TaskKey
from sim.study.store import Store

if TYPE_CHECKING:
    from sim.paths import Gates

MOST: Final = 3
"""Settings at most that are tried beside another one: each costs its bad releases."""
_POINTS: Final = 4
"""Values of a range that are looked at beside another."""
_TOLERANCES: Final = frozenset(
    {"failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "successCondition", "failureCondition"}
)
"""What changes no path until it ends it. Intervals, counts and delays do: a step's analysis takes as long as they make it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Who runs replications, with which seed, and where they are kept."""

    seed: int
    engine: Engine
    store: Path


def beside(bound: Sequence[Bound], values: Values, turn: int) -> tuple[Values, ...]:
    """The same setting with other limits and thresholds, evenly spread over all there are, beginning anywhere by the ``turn``."""
    free = [
        item.parameter for item in bound if item.target.document is not None and item.target.path[-1] in _TOLERANCES
    ]
    ways = [
        {**values, **dict(zip(free, way, strict=True))}
        for way in product(*(one.values.points(_POINTS) for one in free))
    ]
    others = [one for one in ways if one != values]
    count = min(MOST, len(others))
    return tuple(others[(turn + place * len(others) // count) % len(others)] for place in range(count))


def share(scenarios: Sequence[Scenario], start: int, stop: int, bench: Bench) -> None:
    """Keeps what the paths of the first one's good releases, replications ``start`` to before ``stop``, tell of all of them."""
    job = _Shared(tuple(Cell("tune", "", one) for one in scenarios), bench.seed, outcome_of)
    good = [place for place, kind in enumerate(strata(scenarios[0])) if kind.good]
    with Store(bench.store) as shelf:
        tasks = [(0, kind, index) for index in range(start, stop) for kind in good]
        missing = [task for task in tasks if shelf.find(job.store_key(task)) is None]
        with closing(bench.engine.results(job, iter(missing))) as found:
            for (_, kind, index), texts in found:
                for place, text in enumerate(json.loads(texts)):
                    if text is not None:
                        shelf.append(job.store_key((place, kind, index)), text)


@dataclass(frozen=True)
class _Shared(Job):
    """Cells that share paths: a task of the first one is a task of all."""

    def do(self, task: TaskKey) -> str:
        """By cell the text that its own job would give; null where that takes a run of its own."""
        _, kind, index = task
        found = self._gates[kind].judge(self.seed_of(task))
        own = (self.store_key((place, kind, index))[1] for place in range(len(self.cells)))
        rows = zip(found.results, found.simulated, own, strict=True)
        # A run that tells of several settings is the run of one of them.
        return canonical_json(
            [
                canonical_json(self.reduce(result))
                if result is not None and (not simulated or result.scenario_hash == known)
                else None
                for result, simulated, known in rows
            ]
        )

    @cached_property
    def _gates(self) -> tuple[Gates, ...]:
        """The settings made ready, by kind of release."""
        # Compiles loops: only whoever simulates needs it.
        from sim.paths import Gates  # noqa: PLC0415

        kinds = len(strata(self.cells[0].scenario))
        return tuple(
            Gates([self.scenario((place, kind, 0)) for place in range(len(self.cells))]) for kind in range(kinds)
        )
