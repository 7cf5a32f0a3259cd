"""A study to be killed: ``python -m tests.study.victim STORE``."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path

from sim.model.behaviour import Release, VersionBehaviour
from sim.model.manifests import ManifestSet
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout
from sim.study import Cell, Processes, run_study
from tests.study import fakes

STABLE = VersionBehaviour("v1")
MIX = tuple(Release(name, name == "steady", share=0.5, behaviour=STABLE) for name in ("steady", "broken"))
SCENARIOS = [Scenario(title, ArgoRollout("api"), ManifestSet(), STABLE, MIX[0], mix=MIX) for title in "AB"]
CELLS = tuple(Cell(one.title, "", one) for one in SCENARIOS)
REPLICATIONS = 100
TASKS = REPLICATIONS * 4


def study(store: Path) -> None:
    """Killed during the replication that is named, if one is."""
    cells = [replace(one, scenario=replace(one.scenario, description=str(fatal(store)))) for one in CELLS]
    with Processes(2) as engine:
        run_study(cells, REPLICATIONS, 5, fakes.reason, revive=list, run=fakes.kills_study, engine=engine, store=store)


def fatal(store: Path) -> Path:
    """The file that names the replication, by its seed."""
    return store.parent / "fatal"


def orphans(store: Path) -> None:
    """Say who the workers are, and wait to be killed."""
    with Processes(2) as engine:
        found = run_study(CELLS, 25, 5, fakes.process, revive=int, run=fakes.quick, engine=engine, store=store)
        pids = {pid for cell in found.cells for part in cell.strata for pid in part.values}
        sys.stdout.write(" ".join(map(str, pids)) + "\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    (orphans if sys.argv[2:] else study)(Path(sys.argv[1]))
