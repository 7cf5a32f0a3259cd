"""What a generator gives next, made by compiled loops: NumPy's own numbers for a third of the time.

NumPy asks its bit generator for each word by a call through a pointer. Here SFC64 (Doty-Humphrey 2010) stays in
registers, and the ziggurats (Marsaglia and Tsang 2000) are done with in one branch 99 times in 100.
"""

from __future__ import annotations

from math import exp, log1p
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sim.traffic.jit import IS_COMPILED, kernel, part
from sim.traffic.words import S11, UNIT_53

try:  # the tables that NumPy compiles in; numba has a copy for its own generators, but promises nobody to keep it there
    from numba.np.random._constants import (
        fe_double,
        fi_double,
        ke_double,
        ki_double,
        we_double,
        wi_double,
        ziggurat_exp_r,
        ziggurat_nor_inv_r,
        ziggurat_nor_r,
    )
except ImportError:  # pragma: no cover - the same numbers, only later
    IS_INLINE = False
else:
    IS_INLINE = IS_COMPILED
    """Whether numbers are made here; otherwise NumPy makes the same."""

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]
State = tuple[np.uint64, np.uint64, np.uint64, np.uint64]

ONE: Final = np.uint64(1)
S3: Final = np.uint64(3)
S8: Final = np.uint64(8)
S9: Final = np.uint64(9)
S24: Final = np.uint64(24)
S40: Final = np.uint64(40)
LAYERS: Final = np.uint64(255)
BASE: Final = np.uint64(0)
MANTISSA: Final = np.uint64(2**52 - 1)


class Draws:
    """The coming numbers of a generator over SFC64, which is from now on asked by nobody else."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._state: Words = generator.bit_generator.state["state"]["state"]

    def spacings(self, count: int) -> Floats:
        """Running sums of so many standard exponentials."""
        if not IS_INLINE:
            return np.cumsum(self._generator.standard_exponential(count))
        sums = np.empty(count)
        add_exponentials(self._state, sums)
        return sums

    def words(self, count: int) -> Words:
        """Words of 64 bits."""
        if not IS_INLINE:
            return np.asarray(self._generator.bit_generator.random_raw(count), dtype=np.uint64)
        words = np.empty(count, dtype=np.uint64)
        fill_words(self._state, words)
        return words

    def normals(self, count: int) -> Floats:
        """Standard normals."""
        if not IS_INLINE:
            return self._generator.standard_normal(count)
        normals = np.empty(count)
        fill_normals(self._state, normals)
        return normals


@part
def following(state: State) -> tuple[np.uint64, State]:
    """A word, and the state after it."""
    a, b, c, count = state
    word = a + b + count
    return word, (b ^ (b >> S11), c + (c << S3), ((c << S24) | (c >> S40)) + word, count + ONE)


@part
def unit(word: np.uint64) -> float:
    """A word as a number in [0, 1)."""
    return np.float64(np.int64(word >> S11)) * UNIT_53


@kernel
def fill_words(state: Words, words: Words) -> None:
    """Fill an array with words."""
    now = (state[0], state[1], state[2], state[3])
    for i in range(len(words)):
        words[i], now = following(now)
    state[0], state[1], state[2], state[3] = now


@kernel
def add_exponentials(state: Words, sums: Floats) -> None:
    """Fill an array with running sums of exponentials."""
    now = (state[0], state[1], state[2], state[3])
    total = 0.0
    for i in range(len(sums)):
        word, now = following(now)
        layer, height = (word >> S3) & LAYERS, word >> S11
        x = np.float64(np.int64(height)) * we_double[layer]
        if height >= ke_double[layer]:
            x, now = rare_exponential(layer, x, now)
        total += x
        sums[i] = total
    state[0], state[1], state[2], state[3] = now


@part
def rare_exponential(layer: np.uint64, x: float, now: State) -> tuple[float, State]:
    """What becomes of an exponential that lies outside its layer's core: the tail, this one after all, or another."""
    while True:
        word, now = following(now)
        if layer == BASE:
            return ziggurat_exp_r - log1p(-unit(word)), now
        if (fe_double[layer - ONE] - fe_double[layer]) * unit(word) + fe_double[layer] < exp(-x):
            return x, now
        word, now = following(now)
        layer, height = (word >> S3) & LAYERS, word >> S11
        x = np.float64(np.int64(height)) * we_double[layer]
        if height < ke_double[layer]:
            return x, now


@kernel
def fill_normals(state: Words, normals: Floats) -> None:
    """Fill an array with standard normals."""
    now = (state[0], state[1], state[2], state[3])
    for i in range(len(normals)):
        word, now = following(now)
        layer, height = word & LAYERS, (word >> S9) & MANTISSA
        x = signed(word >> S8, np.float64(np.int64(height)) * wi_double[layer])
        if height >= ki_double[layer]:
            x, now = rare_normal(layer, height, x, now)
        normals[i] = x
    state[0], state[1], state[2], state[3] = now


@part
def signed(word: np.uint64, x: float) -> float:
    """The number, negative where the word is odd."""
    return x * (1.0 - 2.0 * np.float64(np.int64(word & ONE)))


@part
def rare_normal(layer: np.uint64, height: np.uint64, x: float, now: State) -> tuple[float, State]:
    """What becomes of a normal that lies outside its layer's core: the tail, this one after all, or another."""
    while True:
        if layer == BASE:
            return far_normal(height >> S8, now)
        word, now = following(now)
        if (fi_double[layer - ONE] - fi_double[layer]) * unit(word) + fi_double[layer] < exp(-0.5 * x * x):
            return x, now
        word, now = following(now)
        layer, height = word & LAYERS, (word >> S9) & MANTISSA
        x = signed(word >> S8, np.float64(np.int64(height)) * wi_double[layer])
        if height < ki_double[layer]:
            return x, now


@part
def far_normal(sign: np.uint64, now: State) -> tuple[float, State]:
    """A normal from the tail, beyond every layer."""
    while True:
        word, now = following(now)
        x = -ziggurat_nor_inv_r * log1p(-unit(word))
        word, now = following(now)
        y = -log1p(-unit(word))
        if y + y > x * x:
            return signed(sign, ziggurat_nor_r + x), now
