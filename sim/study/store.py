"""Finished replications on disk, one JSON line each, so that an interrupted study can go on where it stopped.

A study has one file per process that ever worked on it (``KEY.jsonl``, ``KEY.1.jsonl``, ...), created exclusively:
two runs at once on one folder never write to the same file, and both are read afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from errno import EIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from sim.model.hashing import canonical_json
from sim.study.jobs import TaskKey

_DAMAGED = "not a stored replication; delete the file to run its replications again"


class StoreError(OSError):
    """A store that cannot be read or written; ``filename`` and ``strerror`` say where and why."""

    def __init__(self, place: Path | str, why: str) -> None:
        super().__init__(EIO, why, str(place))


@dataclass(slots=True)
class Store:
    """Read what other processes left, append what this one finishes."""

    folder: Path
    key: str
    _file: TextIO | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def read(self) -> dict[TaskKey, Any]:
        """Every replication found in the study's files; of duplicates, which are equal, the last one."""
        found: dict[TaskKey, Any] = {}
        for path in sorted(self.folder.glob(f"{self.key}*.jsonl")):
            for row in _rows(path):
                task, value = _entry(row, path)
                found[task] = value
        return found

    def append(self, task: TaskKey, value: Any) -> None:
        """Write one replication and hand it to the operating system at once."""
        if self._file is None:
            self._file = self._create()
        self._file.write(canonical_json({"task": task, "value": value}) + "\n")
        self._file.flush()

    def _create(self) -> TextIO:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for part in range(10_000):
                path = self.folder / (f"{self.key}.{part}.jsonl" if part else f"{self.key}.jsonl")
                try:
                    return path.open("x", encoding="utf-8", newline="\n")
                except FileExistsError:
                    continue
        except OSError as error:
            raise StoreError(self.folder, f"cannot keep results there: {error.strerror or error}") from error
        raise StoreError(self.folder, f"study {self.key} has too many files; delete some")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of one file; its last line may be torn, because its writer was killed or is still at work."""
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    # Every complete line ends in a newline, so what follows the last newline is empty or torn.
    for number, line in enumerate(lines[:-1], start=1):
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            place = f"{path}:{number}"
            raise StoreError(place, _DAMAGED) from error


def _entry(row: Any, path: Path) -> tuple[TaskKey, Any]:
    try:
        (cell, stratum, index), value = row["task"], row["value"]
    except (TypeError, KeyError, ValueError) as error:
        raise StoreError(path, _DAMAGED) from error
    return (cell, stratum, index), value
