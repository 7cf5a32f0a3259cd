"""Runs the application: ``python -m harness.app``."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from random import SystemRandom
from signal import SIGTERM

from harness.app.server import Server
from harness.app.settings import Settings


def born_s_ago() -> float:
    """Seconds since this process was made: what the interpreter needed to start belongs to the start-up time."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK"))


async def main() -> None:
    """Serves until SIGTERM; a fault may end the process before, as abruptly as a crash does."""
    server = Server(Settings.of(os.environ), SystemRandom(), os._exit, born_s_ago())
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(SIGTERM, asked.set)
    started = asyncio.create_task(server.start())
    await asked.wait()
    if not started.done():
        started.cancel()
    await server.terminate()


if __name__ == "__main__":
    asyncio.run(main())
