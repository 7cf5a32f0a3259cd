"""Who runs the replications: this process, processes on this machine, or a cluster. None of them changes a byte."""

from sim.study.engines.errors import EngineError
from sim.study.engines.on_dask import Dask
from sim.study.engines.processes import Processes
from sim.study.engines.protocol import Engine
from sim.study.engines.serial import Serial

__all__ = ["Dask", "Engine", "EngineError", "Processes", "Serial"]
