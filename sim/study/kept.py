"""The replications of a study as sequences that remember where they are rather than what they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, overload

from sim.study.jobs import Job
from sim.study.store import Memory, Shelf, Store, StoreError

R = TypeVar("R")


def opened(place: Path | Memory, *, exists: bool = False) -> AbstractContextManager[Shelf]:
    """The shelf at this place, made there unless it ``exists``."""
    return Store(place, exists=exists) if isinstance(place, Path) else nullcontext(place)


@dataclass(frozen=True, slots=True)
class Seeds(Sequence[int]):
    """Seeds of the replications of one kind of release."""

    job: Job = field(repr=False)
    cell: int
    stratum: int
    replications: int

    def __len__(self) -> int:
        return self.replications

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[int, ...]: ...

    def __getitem__(self, index: int | slice) -> int | tuple[int, ...]:
        found = range(self.replications)[index]
        return self._of(found) if isinstance(found, int) else tuple(map(self._of, found))

    def _of(self, index: int) -> int:
        return self.job.seed_of((self.cell, self.stratum, index))


@dataclass(frozen=True, slots=True)
class Values(Sequence[R]):
    """Reduced replications of one kind of release, read and revived when they are asked for."""

    seeds: Seeds
    place: Path | Memory = field(repr=False)
    revive: Callable[[Any], R]
    remembers: bool
    """Whether to keep what was revived: for studies small enough."""
    _known: list[R] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.seeds)

    @overload
    def __getitem__(self, index: int) -> R: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[R, ...]: ...

    def __getitem__(self, index: int | slice) -> R | tuple[R, ...]:
        if self.remembers:
            known = self._all()
            return tuple(known[index]) if isinstance(index, slice) else known[index]
        found = range(len(self))[index]
        return next(self._read(range(found, found + 1))) if isinstance(found, int) else tuple(self._read(found))

    def __iter__(self) -> Iterator[R]:
        return iter(self._all()) if self.remembers else self._read(range(len(self)))

    def _all(self) -> list[R]:
        if len(self._known) < len(self):
            self._known[:] = self._read(range(len(self)))
        return self._known

    def _read(self, indices: range) -> Iterator[R]:
        with opened(self.place, exists=True) as shelf:
            for index in indices:
                key = self.seeds.job.store_key((self.seeds.cell, self.seeds.stratum, index))
                text = shelf.find(key)
                if text is None:
                    raise StoreError(str(self.place), f"replication {key} was kept there and is there no more")
                yield self.revive(parsed(text, self.place))


def parsed(text: str, place: Path | Memory) -> Any:
    """The JSON that was kept; StoreError for anything else."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise StoreError(str(place), f"holds what is not a replication ({error}); delete it") from error
