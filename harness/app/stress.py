"""Processor time burnt on purpose, by processes beside the server."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from subprocess import Popen

from harness.app.behaviour import Fault

_BURN = """
import sys, time
share = float(sys.argv[1])
while True:
    until = time.perf_counter() + 0.05 * share
    while time.perf_counter() < until:
        pass
    time.sleep(0.05 * (1 - share))
"""


def shares(faults: Iterable[Fault]) -> list[float]:
    """What each burning process burns of a core: ``CpuStress`` faults name cores, 1.5 are one whole and one half."""
    cores = sum(float(fault.effect["cores"]) for fault in faults if fault.kind == "CpuStress")
    whole = int(cores)
    return [1.0] * whole + ([cores - whole] if cores > whole else [])


class Stress:
    """The burning processes."""

    def __init__(self) -> None:
        self._burning: list[Popen[bytes]] = []
        self._shares: list[float] = []

    def set(self, wanted: list[float]) -> None:
        """Burns this much from now on."""
        if wanted == self._shares:
            return
        self.stop()
        self._shares = wanted
        self._burning = [Popen([sys.executable, "-c", _BURN, str(share)]) for share in wanted]  # noqa: S603 - our own

    def stop(self) -> None:
        """Burns nothing any more."""
        for process in self._burning:
            process.kill()
            process.wait()
        self._burning, self._shares = [], []
