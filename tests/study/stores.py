"""Looking into stores."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def replications(store: Path) -> int:
    """How many are kept; 0 while there is no file."""
    if not store.exists():
        return 0
    with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=rw", uri=True, timeout=60)) as file:
        (count,) = file.execute("SELECT count(*) FROM replications").fetchone()
        return int(count)
