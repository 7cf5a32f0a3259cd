"""A study whose number of replications is not fixed: look, and go on only if something is still undecided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sim.model.records import RunResult
from sim.study.cells import Cell, Study
from sim.study.engines import Engine
from sim.study.runs import Progress, run_study

R = TypeVar("R")


def looks_up_to(most: int, first: int = 30) -> tuple[int, ...]:
    """Numbers of replications to look at: ``first``, then half as many again each time, and ``most`` at last.

    Fixed beforehand, because intervals are as much wider as there may be looks: ``looks_up_to(150) -> 30, 45, 67, 100, 150``.
    """
    looks = [min(first, most)]
    while looks[-1] < most:
        looks.append(min(looks[-1] * 3 // 2, most))
    return tuple(looks)


def run_until(  # noqa: PLR0913 - as run_study, of which it is a repetition
    cells: Sequence[Cell],
    looks: Sequence[int],
    seed: int,
    reduce: Callable[[RunResult], R],
    settled: Callable[[Study[R]], bool],
    *,
    revive: Callable[[Any], R],
    store: Path,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Study[R]:
    """``run_study`` with each number of replications in ``looks``, rising, until its result is ``settled``.

    What one look has run, the next reads from ``store``. Whoever looks often must widen what they conclude from
    accordingly. Raises as ``run_study`` does.
    """
    for replications in looks:
        study = run_study(
            cells, replications, seed, reduce, revive=revive, engine=engine, store=store, progress=progress
        )
        if settled(study):
            break
    return study
