"""Named random streams: the only module that makes a generator.

Each source of chance draws from its own stream, keyed by (seed, name), so that adding a fault never changes the
arrivals, and two strategies under one seed meet the same requests (common random numbers).
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from math import exp
from typing import Final

import numpy as np
from numpy.random import SFC64, Generator, SeedSequence

from sim.model.behaviour import Delay, Shape

_WORDS: Final = 4


@cache
def _key(name: str) -> tuple[int, ...]:
    digest = blake2b(name.encode(), digest_size=4 * _WORDS).digest()
    return tuple(int.from_bytes(digest[4 * i : 4 * i + 4], "little") for i in range(_WORDS))


class Streams:
    """All streams of one replication. The same name gives the same numbers, whoever asks, in whatever order."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._open: dict[str, Generator] = {}

    def generator(self, name: str) -> Generator:
        """The stream of this name; later calls continue where it stands."""
        if name not in self._open:
            self._open[name] = self.fresh(name)
        return self._open[name]

    def fresh(self, name: str, index: int = 0) -> Generator:
        """A generator at the start of block ``index`` of the stream, independent of every other block."""
        return Generator(SFC64(SeedSequence(entropy=self.seed, spawn_key=(*_key(name), index))))

    def word(self, name: str) -> np.uint64:
        """64 bits of the stream's key, for stateless hashing inside compiled loops."""
        return np.uint64(SeedSequence(entropy=self.seed, spawn_key=_key(name)).generate_state(1, np.uint64)[0])

    def delay_s(self, name: str, delay: Delay) -> float:
        """One draw of a random time from the stream of this name, seconds."""
        if delay.median_s == 0 or delay.shape is Shape.CONSTANT:
            return delay.median_s
        generator = self.generator(name)
        if delay.shape is Shape.EXPONENTIAL:
            return float(generator.exponential(delay.mean_s))
        return delay.median_s * exp(delay.sigma * float(generator.standard_normal()))


class RegionStreams(Streams):
    """Streams of one region: the same names, independent numbers."""

    def __init__(self, seed: int, region: str) -> None:
        super().__init__(seed)
        self._region = region

    def fresh(self, name: str, index: int = 0) -> Generator:
        """As in ``Streams``, under the region's own prefix."""
        return super().fresh(f"region/{self._region}/{name}", index)

    def word(self, name: str) -> np.uint64:
        """As in ``Streams``, under the region's own prefix."""
        return super().word(f"region/{self._region}/{name}")
