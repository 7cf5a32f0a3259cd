"""Folders for what workers read. Even of a process that was killed none stays: the next one takes it away."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir, mkdtemp
from time import time
from weakref import finalize

PREFIX = "rolltwin-study-"
_YOUNG_S = 60.0
"""Between a folder's making and its locking another process must not take it for abandoned."""


class Scratch:
    """A temporary folder that lasts until ``close``, and no longer than whoever made it.

    Its maker holds a lock on it, which the kernel lets go of however that process ends, in whatever container.
    """

    def __init__(self) -> None:
        sweep()
        self.path = Path(mkdtemp(prefix=PREFIX))
        self._lock = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # For those who forget to close.
        self.close = finalize(self, _gone, self.path, self._lock)


def _gone(path: Path, lock: int) -> None:
    rmtree(path, ignore_errors=True)
    os.close(lock)


def sweep(young_s: float = _YOUNG_S) -> None:
    """Takes away the folders of processes that were killed; those of other users stay."""
    for path in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another process was faster, or it is not ours
            if time() - path.stat().st_mtime >= young_s:
                _take_abandoned(path)


def _take_abandoned(path: Path) -> None:
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
