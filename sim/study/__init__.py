"""Many runs: every cell (strategy x variant) x every kind of release x replications, in parallel and resumable.

The only part of the model that starts processes and writes files; it knows nothing about indicators.
"""

from sim.study.cells import Cell, CellResults, Stratum, StratumResults, Study, releases, replication_seed, strata
from sim.study.engines import Dask, Engine, EngineError, Processes, Serial
from sim.study.jobs import ReplicationCrashError
from sim.study.ordered import Replication, StudyInterrupted, stream
from sim.study.runs import run_once, run_study
from sim.study.sequential import looks_up_to, run_until
from sim.study.store import StoreError

__all__ = [
    "Cell",
    "CellResults",
    "Dask",
    "Engine",
    "EngineError",
    "Processes",
    "Replication",
    "ReplicationCrashError",
    "Serial",
    "StoreError",
    "Stratum",
    "StratumResults",
    "Study",
    "StudyInterrupted",
    "looks_up_to",
    "releases",
    "replication_seed",
    "run_once",
    "run_study",
    "run_until",
    "strata",
    "stream",
]
