"""Stateless randomness for retries: 64-bit words that depend only on the stream's key and on what they are for.

The mixer is the finaliser of SplitMix64 (Steele, Lea, Flood 2014; constants of Stafford's variant 13).
"""

from __future__ import annotations

from math import cos, exp, log, pi, sqrt
from typing import Final

import numpy as np

from sim.traffic.jit import part

GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
SECOND: Final = np.uint64(0x94D049BB133111EB)
S30: Final = np.uint64(30)
S27: Final = np.uint64(27)
S31: Final = np.uint64(31)
S11: Final = np.uint64(11)
S32: Final = np.uint64(32)
LOW_32: Final = np.uint64(0xFFFFFFFF)
UNIT_32: Final = 2.0**-32
UNIT_53: Final = 2.0**-53
BEFORE_ZERO: Final = 1 << 40
"""More blocks than ever come before t = 0: words are not negative."""

CONSTANT: Final = 0
EXPONENTIAL: Final = 1
LOGNORMAL: Final = 2


@part
def mix(word: np.uint64) -> np.uint64:
    """A bijection of 64-bit words in which every bit of the result depends on every bit of the argument."""
    word = (word ^ (word >> S30)) * FIRST
    word = (word ^ (word >> S27)) * SECOND
    return word ^ (word >> S31)


@part
def keyed(key: np.uint64, block: int, index: int, attempt: int, purpose: int) -> np.uint64:
    """The word for one purpose of one attempt of request ``index`` of ``block``."""
    word = mix(key + GAMMA * np.uint64(block + BEFORE_ZERO))
    word = mix(word + GAMMA * np.uint64(index))
    return mix(word + GAMMA * np.uint64(attempt * 16 + purpose))


@part
def high(word: np.uint64) -> float:
    """The upper half of a word as a number in [0, 1)."""
    return np.float64(word >> S32) * UNIT_32


@part
def low(word: np.uint64) -> float:
    """The lower half of a word as a number in [0, 1)."""
    return np.float64(word & LOW_32) * UNIT_32


@part
def positive_unit(word: np.uint64) -> float:
    """A word as a number in (0, 1], of 53 bits."""
    return (np.float64(word >> S11) + 1.0) * UNIT_53


@part
def service_of(word: np.uint64, other: np.uint64, shape: int, scale: float, sigma: float) -> float:
    """A service time, seconds, from two words; ``scale`` is the median (exponential shape: the mean)."""
    if shape == CONSTANT:
        return scale
    radius = -log(positive_unit(word))
    if shape == EXPONENTIAL:
        return scale * radius
    return scale * exp(sigma * sqrt(2.0 * radius) * cos(2.0 * pi * positive_unit(other)))
