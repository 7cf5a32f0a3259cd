"""Programs in processes of their own, which no test waits for without end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

ROOT = Path(__file__).parents[1]
PATIENCE_S = 240.0
"""Many times what any of them takes; a program that is killed after it has failed its test."""


@contextmanager
def started(module: str, *arguments: str | Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """``python -m`` this, in a group of its own; killed if it outlives the context or everybody's patience."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], start_new_session=True, text=True, env=environment, **options
    ) as process:
        watch = Timer(PATIENCE_S, _kill, [process])
        watch.start()
        try:
            yield process
        finally:
            watch.cancel()
            _kill(process)


def interrupted(*arguments: str, number: signal.Signals = signal.SIGINT, cwd: Path) -> str:
    """What the program writes to standard error when it and all its processes are interrupted after one replication."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with started("tests.e2e.held", "4", *arguments, cwd=cwd, **pipes) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        os.killpg(process.pid, number)
        _, err = process.communicate()
    assert (said, process.returncode) == ("kept\n", 130), err
    assert "Traceback" not in err
    return err


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
