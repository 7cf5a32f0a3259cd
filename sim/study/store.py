"""Finished replications in one SQLite file, so that nothing is computed twice, whatever study asks for it.

A replication is known by what it is, not by who asked: the code and reduction (``work``), the scenario with its release,
and the seed. Each is written in a transaction of its own as it finishes. The journal is SQLite's write-ahead log with
``synchronous=NORMAL``: a process killed at any instant loses nothing that was written, several processes may write at
once, and a loss of power may cost the last replications but never the file. The log needs a file system that lets the
processes of one machine share memory; those of several machines must not write to one file.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from errno import EIO
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from sim.study.jobs import Job, StoreKey

_APPLICATION = 0x726F6C74
"""``rolt``: the file says whose it is (``file replications.sqlite`` shows it, too)."""
_VERSION = 1
_BUSY_S = 60.0
"""Another process holds the file for milliseconds; whoever waits longer than this waits for a stopped process."""
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
CREATE TABLE scenarios (hash TEXT PRIMARY KEY, title TEXT NOT NULL, release TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE replications (
    work TEXT NOT NULL, scenario TEXT NOT NULL, seed INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (work, scenario, seed)
) WITHOUT ROWID;
"""
_DAMAGED = "not a file of replications, or a damaged one; delete it to run its replications again"


class StoreError(OSError):
    """A store that cannot be read or written; ``filename`` and ``strerror`` say where and why."""

    def __init__(self, place: Path | str, why: str) -> None:
        super().__init__(EIO, why, str(place))


class Shelf(Protocol):
    """Where finished replications are put and found again, as canonical JSON."""

    def find(self, key: StoreKey) -> str | None:
        """The replication; None if it is not there."""

    def append(self, key: StoreKey, text: str) -> None:
        """Keep one replication, for good when this returns; nothing if it is there already, for then it is the same."""

    def declare(self, job: Job) -> None:
        """Say what the scenarios of the job are, for people who look into it."""


class Memory(dict[StoreKey, str]):
    """A shelf that ends with the process."""

    def declare(self, job: Job) -> None:
        """Nobody looks into it."""

    def find(self, key: StoreKey) -> str | None:
        """As every shelf does."""
        return self.get(key)

    def append(self, key: StoreKey, text: str) -> None:
        """As every shelf does."""
        self[key] = text


class Store:
    """A shelf in a file, made if there is none (unless it ``exists``); ``with`` it, or ``close`` it."""

    def __init__(self, path: Path, *, exists: bool = False) -> None:
        self._path = path
        with _clear(path):
            if not exists and not path.exists():
                _create(path)
            self._file = _opened(path)

    def find(self, key: StoreKey) -> str | None:
        """As every shelf does."""
        with _clear(self._path):
            row = self._file.execute(
                "SELECT value FROM replications WHERE work = ? AND scenario = ? AND seed = ?", key
            ).fetchone()
        return None if row is None else str(row[0])

    def append(self, key: StoreKey, text: str) -> None:
        """As every shelf does."""
        with _clear(self._path):
            self._file.execute("INSERT OR IGNORE INTO replications VALUES (?, ?, ?, ?)", (*key, text))

    def declare(self, job: Job) -> None:
        """Say what the scenarios of the job are, for people who look into the file."""
        with _clear(self._path):
            self._file.executemany("INSERT OR IGNORE INTO scenarios VALUES (?, ?, ?)", job.declarations())

    def close(self) -> None:
        """Close the file; whoever is the last to do so folds the log into it."""
        with _clear(self._path):
            self._file.close()

    def __str__(self) -> str:
        return str(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def dump(path: Path) -> Iterator[tuple[str, ...]]:
    """Every row of a store in a fixed order: equal for stores that hold the same."""
    with _clear(path), closing(_opened(path)) as file:
        for table in ("scenarios", "replications"):
            rows: Iterable[tuple[object, ...]] = file.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")  # noqa: S608 - ours
            for row in rows:
                yield table, *map(str, row)


def _create(path: Path) -> None:
    """Made under another name and put into place whole: nobody, killed or not, ever leaves or sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        made = Path(folder) / "new"
        with closing(sqlite3.connect(made, isolation_level=None)) as file:
            file.execute("PRAGMA journal_mode = WAL").fetchone()
            file.executescript(_SCHEMA)
        try:
            os.link(made, path)
        except FileExistsError:
            return


def _opened(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise StoreError(path, "not a file" if path.exists() else "no such file")
    if not os.access(path, os.W_OK):
        raise StoreError(path, "cannot keep results there: Permission denied")
    # SQLite takes what is empty for a new database; whoever emptied the file may have meant something else by it.
    file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S, isolation_level=None)
    try:
        _check(file, path)
        file.execute("PRAGMA synchronous = NORMAL")
    except (sqlite3.Error, StoreError):
        file.close()
        raise
    return file


def _check(file: sqlite3.Connection, path: Path) -> None:
    (application,) = file.execute("PRAGMA application_id").fetchone()
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        raise StoreError(path, "the file of another program, so nothing is kept there; name another")
    if version != _VERSION:
        raise StoreError(
            path, f"written by another version of rolltwin (layout {version}, not {_VERSION}); name another"
        )


@contextmanager
def _clear(path: Path) -> Iterator[None]:
    """What goes wrong with the file, in words."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(path, _why(error)) from error
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(path, f"cannot keep results there: {error.strerror or error}") from error


def _why(error: sqlite3.Error) -> str:
    # SQLITE_NOTADB and SQLITE_CORRUPT come as the base class, all that is the machine's fault as OperationalError.
    if isinstance(error, sqlite3.OperationalError) and "no such" not in str(error):
        return f"cannot keep results there: {error}"
    return f"{_DAMAGED} ({error})"
