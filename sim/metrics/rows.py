"""The label sets of a vector, and what has been worked out about them once and for all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

NAME: Final = "__name__"
"""The label that holds the metric's name."""
METADATA: Final = frozenset({NAME, "__type__", "__unit__"})
"""Labels that describe the metric; operations that make another metric of it drop them."""

Labels = Mapping[str, str]
Key = frozenset[tuple[str, str]]

_MOST_MEMOS: Final = 256
"""Facts remembered of one list of rows; a rollout's queries need a few, and only changing data brings more."""

_T = TypeVar("_T")


class Rows:
    """Label sets in order, never changed. Each may be due to lose its name at the end of the query (``nameless``).

    Series seldom come and go, so successive queries meet the same rows: groups, signatures and joins are remembered
    with the rows they belong to.
    """

    __slots__ = ("_memo", "labels", "nameless")

    def __init__(self, labels: Sequence[Labels], nameless: Sequence[bool] | None = None) -> None:
        self.labels = labels
        self.nameless = nameless if nameless is not None and any(nameless) else None
        self._memo: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(self.labels)

    def once(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """What ``make`` says, remembered under ``key``."""
        memo = self._memo
        if key in memo:
            known: _T = memo[key]
            return known
        if len(memo) >= _MOST_MEMOS:
            memo.clear()
        made = memo[key] = make()
        return made

    @property
    def keys(self) -> Sequence[Key]:
        """Label sets as hashable values."""
        return self.once("keys", lambda: [frozenset(labels.items()) for labels in self.labels])

    @property
    def distinct(self) -> bool:
        """Whether no two label sets are equal."""
        return self.once("distinct", lambda: len(set(self.keys)) == len(self.labels))

    def loses_name(self, index: int) -> bool:
        """Whether this row's name goes at the end of the query."""
        return self.nameless is not None and self.nameless[index]

    def take(self, chosen: npt.NDArray[Any]) -> Rows:
        """The rows at these indices, or where this mask is true."""
        return self.once(("take", chosen.dtype.char, chosen.tobytes()), lambda: self._take(chosen))

    def _take(self, chosen: npt.NDArray[Any]) -> Rows:
        indices = np.flatnonzero(chosen).tolist() if chosen.dtype == np.bool_ else chosen.tolist()
        nameless = None if self.nameless is None else [self.nameless[index] for index in indices]
        return Rows([self.labels[index] for index in indices], nameless)

    def bare(self) -> Rows:
        """The rows without their names."""
        return self.once("bare", lambda: Rows([without_name(labels) for labels in self.labels]))

    def due(self) -> Rows:
        """The rows, all due to lose their names."""
        return self.once("due", lambda: Rows(self.labels, [True] * len(self.labels)))

    def final(self) -> Rows:
        """The rows as a server sends them: names due are gone."""
        return self.once("final", self._final) if self.nameless is not None else self

    def _final(self) -> Rows:
        return Rows([without_name(one) if self.loses_name(at) else one for at, one in enumerate(self.labels)])


def without_name(labels: Labels) -> Labels:
    """Labels without the metric's name and metadata."""
    return {name: value for name, value in labels.items() if name not in METADATA}


def joined(parts: Iterable[tuple[Rows, Sequence[int]]]) -> Rows:
    """Chosen rows of several, one after the other."""
    chosen = [(rows, index) for rows, indices in parts for index in indices]
    return Rows([rows.labels[index] for rows, index in chosen], [rows.loses_name(index) for rows, index in chosen])
