"""The rollout that data planes are compared on: a canary in five steps, with crashes and scrapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from time import process_time
from typing import Any, Final, Protocol

import numpy as np

from sim.model.behaviour import VersionBehaviour
from sim.model.load import Client, Diurnal, LoadShape, Stage
from sim.streams import Streams
from sim.traffic import Look, Observation, Pool, Route, WindowSeries

WEIGHTS: Final = (1, 5, 25, 50, 100)
SIDE_PODS: Final = 10
RPS_PER_POD: Final = 100.0
DAY_CURVE: Final = 0.3
CRASH_EVERY_S: Final = 120.0
RESTART_S: Final = 10.0
SCRAPE_S: Final = 15.0
STABLE: Final = VersionBehaviour("stable")
CANDIDATE: Final = VersionBehaviour("candidate")
CLIENT: Final = Client()


class Plane(Protocol):
    """What all data planes have in common."""

    def advance(self, to_s: float) -> None:
        """Simulate everything before an instant."""
        ...

    def observe(self, looks: tuple[Look, ...], windows_s: tuple[float, ...] = ()) -> Observation:
        """Readings at coming instants."""
        ...

    def add_pod(self, behaviour: VersionBehaviour, group: int) -> int:
        """Index of a new pod."""
        ...

    def set_routes(self, routes: tuple[Route, ...]) -> None:
        """Route this way from now on."""
        ...

    def crash_pod(self, pod: int) -> None:
        """Answer 502 to everything at a pod."""
        ...


class Kind(Protocol):
    """What makes a data plane."""

    def __call__(self, load: LoadShape, client: Client, streams: Streams) -> Plane:
        """A plane without pods."""
        ...


@dataclass(frozen=True, slots=True)
class Course:
    """Length and mean load of the rollout, and the seed of its chance."""

    minutes: float
    rps: float
    seed: int


@dataclass(frozen=True, slots=True)
class Run:
    """One model's run: CPU seconds, answers given, windows taken."""

    cpu_s: float
    answers: int
    windows: tuple[WindowSeries, ...]


class Rollout:
    """A canary in five steps with crashes and scrapes, driving a data plane the way the engine does."""

    def __init__(self, plane: Plane, course: Course) -> None:
        self._plane = plane
        self._size = side_pods(course)
        self._stable = [plane.add_pod(STABLE, 0) for _ in range(self._size)]
        self._candidate: list[int] = []
        self._down: dict[int, float] = {}
        self._weight = 0
        self._windows: list[WindowSeries] = []

    def run(self, records: list[tuple[float, str, float]]) -> tuple[WindowSeries, ...]:
        """Every window of the rollout."""
        self._route()
        for what, some in groupby(records, key=lambda record: record[1]):
            if what == "scrape":
                self._scrape(tuple(at for at, _, _ in some))
                continue
            for at, _, value in some:
                self._plane.advance(at)
                getattr(self, f"_{what}")(value)
        return tuple(self._windows)

    def _step(self, weight: float) -> None:
        self._weight = int(weight)
        while len(self._candidate) < ceil(self._size * weight / 100):
            self._candidate.append(self._plane.add_pod(CANDIDATE, 1))
        self._route()

    def _crash(self, draw: float) -> None:
        up = [pod for pod in (*self._stable, *self._candidate) if pod not in self._down]
        pod = up[int(draw * len(up))]
        self._plane.crash_pod(pod)
        self._down[pod] = 0.0
        self._route()

    def _restart(self, _: float) -> None:
        del self._down[next(iter(self._down))]
        self._route()

    def _scrape(self, instants_s: tuple[float, ...]) -> None:
        """As Prometheus scrapes all pods, and as the journal's windows end."""
        look = Look(instants_s, (*self._stable, *self._candidate))
        windows = self._plane.observe((look,), instants_s).windows
        if windows is not None:
            self._windows.append(windows)

    def _route(self) -> None:
        sides = ((100 - self._weight, self._stable), (self._weight, self._candidate))
        pools = tuple(Pool(weight, tuple(pod for pod in pods if pod not in self._down)) for weight, pods in sides)
        self._plane.set_routes((Route(1.0, pools),))


def side_pods(course: Course) -> int:
    """Pods of the stable side, and in the end of the candidate's."""
    return max(SIDE_PODS, ceil(course.rps / RPS_PER_POD))


def records(course: Course) -> list[tuple[float, str, float]]:
    """(instant, what, value) of everything that happens, in order of time."""
    end_s = 60 * course.minutes
    steps = [(end_s * (k + 0.5) / len(WEIGHTS), "step", float(weight)) for k, weight in enumerate(WEIGHTS)]
    scrapes = [(SCRAPE_S * k, "scrape", 0.0) for k in range(1, int(end_s / SCRAPE_S) + 1)]
    all_of_them = sorted([*steps, *scrapes, *crashes(course.seed, end_s)])
    return [record for record in all_of_them if record[0] <= end_s]


def crashes(seed: int, end_s: float) -> Iterator[tuple[float, str, float]]:
    """Crashes at random instants, and the restarts after them."""
    generator = Streams(seed).generator("bench:crashes")
    at = float(generator.exponential(CRASH_EVERY_S))
    while at < end_s:
        yield at, "crash", float(generator.random())
        yield at + RESTART_S, "restart", 0.0
        at += float(generator.exponential(CRASH_EVERY_S))


def load_of(course: Course) -> LoadShape:
    """The day curve passes its mean, upwards, in the middle of the run."""
    return LoadShape((Stage(60.0, course.rps),), Diurnal(DAY_CURVE, start_hour=14.0 - course.minutes / 120))


def run(kind: Kind, course: Course) -> Run:
    """One run of one model."""
    happenings = records(course)
    began = process_time()
    windows = Rollout(kind(load_of(course), CLIENT, Streams(course.seed)), course).run(happenings)
    cpu_s = process_time() - began
    return Run(cpu_s, sum(int(series.answers.sum()) for series in windows), windows)


def counts(windows: tuple[WindowSeries, ...]) -> list[tuple[object, ...]]:
    """Everything whole in a run's windows (sums of latencies differ in the last bits), without what is zero."""
    return [
        (end_s, group, by_status(series.codes, series.answers[at, place]), *whole(series, at, place))
        for series in windows
        for at, end_s in enumerate(series.instants_s)
        for place, group in enumerate(series.groups)
        if series.answers[at, place].any() or series.clients[at, place].any()
    ]


def whole(series: WindowSeries, at: int, place: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Buckets and the clients' side of one group in one window; who had no pod has no latency."""
    return tuple(series.buckets[at, place].tolist()), tuple(series.clients[at, place].tolist())


def by_status(codes: tuple[int, ...], answers: np.ndarray[Any, np.dtype[np.int64]]) -> dict[int, int]:
    """Answers of every status there was; several slots may have the same."""
    return {code: count for code in sorted({*codes}) if (count := int(answers[np.array(codes) == code].sum()))}


def scenario(course: Course) -> dict[str, Any]:
    """The rollout in words and numbers."""
    return {
        "minutes": course.minutes,
        "requests_per_second": course.rps,
        "day_curve": DAY_CURVE,
        "pods_per_side": side_pods(course),
        "servers_per_pod": STABLE.concurrency,
        "service_median_s": STABLE.service_time.median_s,
        "service_sigma": STABLE.service_time.sigma,
        "timeout_s": CLIENT.timeout_s,
        "retries": CLIENT.retries,
        "mean_time_between_crashes_s": CRASH_EVERY_S,
        "weights": list(WEIGHTS),
    }
