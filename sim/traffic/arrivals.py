"""When requests arrive and what each brings with it, block by block.

A block is a fixed stretch of time, anchored at t = 0, whose draws come from the start of its own stream: neither the
cuts of ``advance`` nor routing nor pods shift them (common random numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sim.model.behaviour import Delay, Shape
from sim.model.load import LoadShape
from sim.traffic.draws import Draws
from sim.traffic.jit import kernel
from sim.traffic.lognormal import stretch
from sim.traffic.values import Streams

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

ARRIVALS: Final = "traffic:requests"
EXPONENTIALS: Final = "traffic:exponential-service"
TARGET: Final = 32_768
"""Requests in a block at the highest rate: many enough to forget the cost of a block, few enough for a core's cache."""
LONGEST_S: Final = 60.0
STEP_S: Final = 2.0
"""The rate is taken as constant (its value at the middle) over sub-steps of at most this, cut at the load's corners."""


@kernel
def place(times: Floats, total: float, edges_s: Floats, reached: Floats) -> None:
    """Turn running sums of spacings into arrivals: shares of ``total`` through the inverse of the cumulative rate."""
    scale = reached[-1] / total
    last = len(reached) - 2
    while reached[last] == reached[last + 1]:
        last -= 1
    latest = np.nextafter(edges_s[-1], -np.inf)
    step = -1
    start = width = low = mass = high = 0.0
    for i in range(len(times)):
        position = times[i] * scale
        while step < last and position >= high:
            step += 1
            start, low, high = edges_s[step], reached[step], reached[step + 1]
            width, mass = edges_s[step + 1] - start, high - low
        times[i] = min(start + width * ((position - low) / mass), latest)


@dataclass
class Block:
    """The requests that arrive in ``[start_s, end_s)``, in order of arrival.

    ``route_error`` holds two 32-bit uniforms a request (traffic class high, answer low), ``pool_pod`` two more (pool high,
    pod low); row k of ``service`` is what each request would take, in seconds, on a version of kind k.
    """

    number: int
    end_s: float
    times: Floats
    route_error: Words
    pool_pod: Words
    service: Floats
    draws: Draws
    normals: Floats | None = None


class Outline(NamedTuple):
    """How many requests arrive in a block, how they are spread over it, and what draws the rest."""

    end_s: float
    requests: int
    edges_s: Floats
    reached: Floats
    generator: Generator


class Arrivals:
    """The blocks of one replication; blocks are asked for in order, each as often as wanted."""

    def __init__(self, load: LoadShape, streams: Streams, share: float) -> None:
        self._rate_rps = load.curve()
        self._streams = streams
        self._share = share
        self._corners = corners_s(load)
        self._length_s = block_length_s(share * peak_rps(load))

    def number_at(self, t_s: float) -> int:
        """Number of the block that contains ``t_s``."""
        return floor(t_s / self._length_s)

    def block(self, number: int, kinds: list[Delay]) -> Block:
        """The requests of one block, with their service times on each kind of version."""
        end_s, count, edges_s, reached, generator = self.outline(number)
        draws, times = Draws(generator), np.empty(0)
        if count:
            sums = draws.spacings(count + 1)
            times = sums[:count]
            place(times, sums[count], edges_s, reached)
        words = draws.words(2 * count).reshape(2, count)
        block = Block(number, end_s, times, words[0], words[1], np.empty((0, count)), draws)
        self.widen(block, kinds)
        return block

    def outline(self, number: int) -> Outline:
        """What is known of a block before its requests are drawn."""
        start_s, end_s = number * self._length_s, (number + 1) * self._length_s
        generator = self._streams.fresh(ARRIVALS, stream_index(number))
        edges_s, reached = self._cumulative(start_s, end_s)
        return Outline(end_s, generator.poisson(float(reached[-1])), edges_s, reached, generator)

    def widen(self, block: Block, kinds: list[Delay]) -> None:
        """Give a block the rows of the kinds it does not have yet."""
        rows = np.empty((len(kinds), len(block.times)), dtype=np.float64)
        rows[: len(block.service)] = block.service
        for k in range(len(block.service), len(kinds)):
            self._fill(block, kinds[k], rows[k])
        block.service = rows

    def _fill(self, block: Block, kind: Delay, row: Floats) -> None:
        match kind.shape:
            case Shape.CONSTANT:
                row[:] = kind.median_s
            case Shape.EXPONENTIAL:
                generator = self._streams.fresh(EXPONENTIALS, stream_index(block.number))
                np.multiply(generator.standard_exponential(len(row)), scale_s(kind), out=row)
            case Shape.LOGNORMAL:
                if block.normals is None:
                    block.normals = block.draws.normals(len(row))
                stretch(block.normals, kind.sigma, kind.median_s, row)

    def _cumulative(self, start_s: float, end_s: float) -> tuple[Floats, Floats]:
        """Edges of the sub-steps of a block and the expected arrivals up to each; steps without traffic are left in."""
        steps = ceil((end_s - start_s) / STEP_S)
        width_s = (end_s - start_s) / steps
        edges_s = {*(k * width_s + start_s for k in range(steps)), end_s}
        edges_s.update(corner for corner in self._corners if start_s < corner < end_s)
        ascending = sorted(edges_s)
        reached = [0.0]
        for before, after in pairwise(ascending):
            rate_rps = self._rate_rps(max((after + before) / 2, 0.0)) * self._share
            reached.append(reached[-1] + rate_rps * (after - before))
        return np.array(ascending), np.array(reached)


def stream_index(number: int) -> int:
    """Block numbers 0, -1, 1, -2 ... as 0, 1, 2, 3 ...: streams are counted from 0, time may start before it."""
    return 2 * number if number >= 0 else -2 * number - 1


def scale_s(kind: Delay) -> float:
    """What a unit draw of the kind's shape is multiplied by: the median, or the mean of an exponential."""
    return float(kind.median_s / np.log(2.0)) if kind.shape is Shape.EXPONENTIAL else kind.median_s


def corners_s(load: LoadShape) -> list[float]:
    """Instants at which the rate may jump or bend, ascending, seconds."""
    stage_ends = np.cumsum([stage.duration_s for stage in load.stages]).tolist()
    bursts = [t for burst in load.bursts for t in (burst.start_s, burst.start_s + burst.duration_s)]
    return sorted({0.0, *stage_ends, *bursts})


def peak_rps(load: LoadShape) -> float:
    """A bound on the rate, requests/s: stages, day curve and bursts all at their highest."""
    peak = max(stage.rate_rps for stage in load.stages)
    if load.diurnal is not None:
        peak *= 1 + abs(load.diurnal.amplitude)
    for burst in load.bursts:
        peak *= max(1.0, burst.factor)
    return peak


def block_length_s(rate_rps: float) -> float:
    """Seconds of a block at this highest rate."""
    return LONGEST_S if rate_rps <= 0 else min(LONGEST_S, TARGET / rate_rps)
