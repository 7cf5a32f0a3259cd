"""The rollout in plain C (``plain.c``), compiled where there is a compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from functools import cache
from itertools import accumulate
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.books import below
from bench.rollout import CLIENT, SCRAPE_S, STABLE, Course, Rollout, Run, load_of, records
from sim.model.behaviour import VersionBehaviour
from sim.model.telemetry import PROMETHEUS_BUCKETS_S
from sim.streams import Streams
from sim.traffic import Look, Observation, Pool, Route, WindowSeries, draws
from sim.traffic.arrivals import Arrivals, Outline
from sim.traffic.plane import RETRY_KEY

SOURCE: Final = Path(__file__).with_name("plain.c")
FLAGS: Final = ("-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC")
"""Contracted multiplications and additions would give other bits."""
CODES: Final = (200, 500, 502, 503)
GROUPS: Final = (-1, 0, 1)
ROOM: Final = 1 << 16
"""Retries at one time; C is asked afterwards whether it needed more."""

Array = NDArray[Any]


class World(ctypes.Structure):
    """As in ``plain.c``."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("servers", "retries", "bounds", "windows", "room")),
        *(
            (name, ctypes.c_double)
            for name in ("timeout_s", "backoff_s", "error_share", "median_s", "sigma", "window_s")
        ),
        ("key", ctypes.c_uint64),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("begin_s", "below", "from_", "pods", "group", "crash_s", "next_crash", "free_s", "bounds_s"),
                *("answers", "buckets", "clients", "heap"),
            )
        ),
        *((name, ctypes.c_int64) for name in ("size", "segment", "overflowed")),
    )


class Tables(ctypes.Structure):
    """As in ``plain.c``."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("we", "fe", "wi", "fi", "ke", "ki")),
        *((name, ctypes.c_double) for name in ("exp_r", "nor_r", "nor_inv_r")),
    )


class Timetable:
    """A data plane without requests that notes what is done to it."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.groups: list[int] = []
        self.crashes: list[list[float]] = []
        self.routes: list[tuple[float, tuple[Pool, ...]]] = []

    def advance(self, to_s: float) -> None:
        """Note the time."""
        self.now_s = to_s

    def observe(self, looks: tuple[Look, ...], windows_s: tuple[float, ...] = ()) -> Observation:
        """Note the time."""
        self.now_s = max(windows_s, default=looks[0].instants_s[-1])
        return Observation(())

    def add_pod(self, behaviour: VersionBehaviour, group: int) -> int:
        """Index of a new pod."""
        del behaviour
        self.groups.append(group)
        self.crashes.append([])
        return len(self.groups) - 1

    def set_routes(self, routes: tuple[Route, ...]) -> None:
        """Note the pools from now on."""
        self.routes.append((self.now_s, tuple(pool for pool in routes[0].pools if pool.weight > 0)))

    def crash_pod(self, pod: int) -> None:
        """Note the crash."""
        self.crashes[pod].append(self.now_s)


class Program:
    """The compiled rollout."""

    def __init__(self, library: ctypes.CDLL) -> None:
        pointer, whole, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
        self._draw, self._serve = library.draw, library.serve
        self._draw.argtypes = [pointer, pointer, whole, whole, pointer, pointer, number, number, *[pointer] * 3]
        self._serve.argtypes = [pointer, whole, whole, *[pointer] * 3, number]
        self._tables = tables()

    def run(self, course: Course, *, own: bool) -> Run:
        """One run: CPU seconds spent in C, which makes its ``own`` draws or is handed them, block by block."""
        arrivals = Arrivals(load_of(course), Streams(course.seed), 1.0)
        arrays = prepared(course)
        world = world_of(arrays, course)
        end_s, number, cpu_s = 60 * course.minutes, 0, 0.0
        while number <= arrivals.number_at(np.nextafter(end_s, 0.0)):
            block = arrivals.outline(number) if own else arrivals.block(number, [STABLE.service_time])
            began = process_time()
            if isinstance(block, Outline):
                times, words, service = self._drawn(block)
            else:
                times, words, service = block.times, block.route_error, block.service[0]
            until_s = min(block.end_s, end_s)
            self._serve(ctypes.addressof(world), number, len(times), *addresses(times, words, service), until_s)
            cpu_s += process_time() - began
            number += 1
        if world.overflowed:
            message = f"more than {ROOM} retries at one time"
            raise RuntimeError(message)
        return Run(cpu_s, int(arrays["answers"][:-1].sum()), (windows_of(arrays),))

    def _drawn(self, outline: Outline) -> tuple[Array, Array, Array]:
        """Arrivals, words (of class and error, then of pool and pod) and service times."""
        state = outline.generator.bit_generator.state["state"]["state"]
        times, words, service = (
            np.empty(outline.requests),
            np.empty(2 * outline.requests, np.uint64),
            np.empty(outline.requests),
        )
        edges_s, reached, kind = outline.edges_s, outline.reached, STABLE.service_time
        self._draw(
            *addresses(state),
            ctypes.addressof(self._tables),
            outline.requests,
            len(reached) - 1,
            *addresses(edges_s, reached),
            kind.median_s,
            kind.sigma,
            *addresses(times, words, service),
        )
        return times, words, service


@cache
def compiled() -> tuple[Program | None, str]:
    """The program and what compiled it, or None and why not."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None, "not measured: no C compiler (cc) was found"
    with TemporaryDirectory() as folder:
        library = Path(folder, "plain.so")
        command = [compiler, *FLAGS, "-o", str(library), str(SOURCE), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 no shell, and the words are ours
        if done.returncode:
            return None, f"not measured: {compiler} failed: {done.stderr.strip().splitlines()[-1]}"
        return Program(ctypes.CDLL(str(library))), " ".join([compiler, *FLAGS])


def addresses(*arrays: Array) -> list[int]:
    """Where the arrays begin; whoever asks keeps them."""
    return [array.ctypes.data for array in arrays]


def prepared(course: Course) -> dict[str, Array]:
    """Everything the C program reads and writes."""
    timetable = Timetable()
    Rollout(timetable, course).run(records(course))
    pools = [(*(pool.pods for pool in some), ())[:2] for _, some in timetable.routes]
    shares = [below([pool.weight for pool in some])[0] if len(some) > 1 else 1.0 for _, some in timetable.routes]
    ends = [*accumulate((len(times) + 1 for times in timetable.crashes), initial=0)]
    servers, windows = STABLE.concurrency, len([record for record in records(course) if record[1] == "scrape"])
    shape = (windows + 1, len(GROUPS))
    return {
        "begin_s": np.array([*(at for at, _ in timetable.routes), inf]),
        "below": np.array(shares),
        "from_": np.array([0, *accumulate(len(pods) for some in pools for pods in some)]),
        "pods": np.array([pod for some in pools for pods in some for pod in pods], dtype=np.int64),
        "group": np.array(timetable.groups, dtype=np.int64),
        "crash_s": np.array([at for times in timetable.crashes for at in (*times, inf)]),
        "next_crash": np.array(ends[:-1], dtype=np.int64),
        "free_s": np.pad(np.zeros((len(timetable.groups), servers)), ((0, 0), (0, 1)), constant_values=inf),
        "bounds_s": np.array(PROMETHEUS_BUCKETS_S),
        "answers": np.zeros((*shape, len(CODES)), dtype=np.int64),
        "buckets": np.zeros((*shape, len(PROMETHEUS_BUCKETS_S) + 1), dtype=np.int64),
        "clients": np.zeros((*shape, 4), dtype=np.int64),
        "heap": np.zeros((ROOM, 5), dtype=np.int64),
    }


def world_of(arrays: dict[str, Array], course: Course) -> World:
    """The arrays and the numbers of the scenario, as C sees them."""
    ((status, share),) = STABLE.statuses
    if status != CODES[1] or CLIENT.timeout_s is None:
        message = "the C program knows versions that err with 500 and clients that give up"
        raise ValueError(message)
    return World(
        servers=STABLE.concurrency,
        retries=CLIENT.retries,
        bounds=len(PROMETHEUS_BUCKETS_S),
        windows=len(arrays["answers"]) - 1,
        room=ROOM,
        timeout_s=CLIENT.timeout_s,
        backoff_s=CLIENT.backoff_s,
        error_share=share,
        median_s=STABLE.service_time.median_s,
        sigma=STABLE.service_time.sigma,
        window_s=SCRAPE_S,
        key=int(Streams(course.seed).word(RETRY_KEY)),
        **{name: array.ctypes.data for name, array in arrays.items()},
    )


def tables() -> Tables:
    """The ziggurats' tables."""
    names = {"we": "we_double", "fe": "fe_double", "wi": "wi_double", "fi": "fi_double", "ke": "ke_double"}
    found = {name: vars(draws)[known].ctypes.data for name, known in {**names, "ki": "ki_double"}.items()}
    numbers = {"exp_r": "ziggurat_exp_r", "nor_r": "ziggurat_nor_r", "nor_inv_r": "ziggurat_nor_inv_r"}
    return Tables(**found, **{name: float(vars(draws)[known]) for name, known in numbers.items()})


def windows_of(arrays: dict[str, Array]) -> WindowSeries:
    """What C has counted, without what came after the last window."""
    answers, buckets, clients = (arrays[name][:-1] for name in ("answers", "buckets", "clients"))
    ends_s = tuple(SCRAPE_S * (k + 1) for k in range(len(answers)))
    return WindowSeries(ends_s, GROUPS, CODES, answers, buckets, np.zeros(answers.shape[:2]), clients)
