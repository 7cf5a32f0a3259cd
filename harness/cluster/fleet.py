"""The clusters that a tour of regions uses: one that stands, and another that is made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from threading import Lock
from types import TracebackType
from typing import Final, Self

from harness.cluster.cluster import Cluster

AT_MOST: Final = 2
"""A laptop bears two clusters; more regions than that share them."""


class Fleet:
    """Safe to use from several threads; whatever it made is gone when the context is left."""

    def __init__(self, first: Cluster, another: Callable[[], AbstractContextManager[Cluster]] | None = None) -> None:
        self.first = first
        self._another = another
        self._second: Cluster | None = None
        self._open = ExitStack()
        self._lock = Lock()

    @property
    def size(self) -> int:
        """How many clusters there can be."""
        return 1 if self._another is None else AT_MOST

    def at(self, number: int) -> Cluster:
        """One of them, counted from 0."""
        if number == 0 or self._another is None:
            return self.first
        with self._lock:
            if self._second is None:
                self._second = self._open.enter_context(self._another())
            return self._second

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
