"""Log-normal times, the same bits on every machine: a system's own exponential differs in the last one."""

from __future__ import annotations

from math import factorial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.traffic.jit import kernel, part

Floats = NDArray[np.float64]

LOG2_E: Final = 1.4426950408889634
LN2_HIGH: Final = 0.6931471803691238
"""The upper bits of ln(2): whole multiples up to 2**20 are exact."""
LN2_LOW: Final = 1.9082149292705877e-10
ROUNDER: Final = 1.5 * 2.0**52
"""Added to a number it leaves the nearest whole one in the lowest bits."""
SERIES: Final = tuple(1.0 / factorial(k) for k in range(13, -1, -1))
MANTISSA: Final = 52
ONE_AS_BITS: Final = 1023 << MANTISSA
FARTHEST: Final = 708.0
"""Beyond it powers are neither floats of full precision nor anybody's time."""


@part
def exponential(x: float) -> float:
    """e**x within 1.5 units of its last place, for ``x`` held between -708 and 708.

    No branch, so that a processor may do several at once. It is 2**n e**r with whole n and a remainder of at most ln(2) / 2, for which the series may end where it does.
    """
    x = min(max(x, -FARTHEST), FARTHEST)
    shifted = x * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    power = 0.0
    for coefficient in SERIES:
        power = power * r + coefficient
    scale = (np.float64(shifted).view(np.int64) << MANTISSA) + ONE_AS_BITS
    return float(power * np.int64(scale).view(np.float64))


@kernel
def stretch(normals: Floats, sigma: float, median_s: float, times_s: Floats) -> None:
    """Fill ``times_s`` with times of this median from standard normals."""
    for i in range(len(normals)):
        times_s[i] = exponential(normals[i] * sigma) * median_s
