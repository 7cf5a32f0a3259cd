"""The exact data plane against two SimPy models of the same: same rollout, same requests, same draws, same answers."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil
from statistics import median
from time import process_time
from typing import Any, Final, Protocol

from bench.cases.options import Options
from bench.lean import LeanPlane
from bench.naive import NaivePlane
from sim.model.behaviour import VersionBehaviour
from sim.model.load import Client, Diurnal, LoadShape, Stage
from sim.streams import Streams
from sim.traffic import DataPlane, PodSample, Pool, Route, WindowCount

WEIGHTS: Final = (1, 5, 25, 50, 100)
SIDE_PODS: Final = 10
RPS_PER_POD: Final = 100.0
CRASH_EVERY_S: Final = 120.0
RESTART_S: Final = 10.0
SCRAPE_S: Final = 15.0
STABLE: Final = VersionBehaviour("stable")
CANDIDATE: Final = VersionBehaviour("candidate")


class Plane(Protocol):
    """What the three have in common."""

    def advance(self, to_s: float) -> None:
        """Simulate everything before an instant."""
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

    def pod_sample(self, pod: int, *, fine: bool = True) -> PodSample:
        """A pod's totals."""
        ...

    def take_window(self) -> tuple[WindowCount, ...]:
        """What each group did since the last call."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """One model's run: CPU seconds, answers given, windows taken."""

    cpu_s: float
    answers: int
    windows: tuple[tuple[WindowCount, ...], ...]


class Rollout:
    """A canary in five steps with crashes and scrapes, driving a data plane the way the engine does."""

    def __init__(self, plane: Plane, options: Options) -> None:
        self._plane = plane
        self._size = max(SIDE_PODS, ceil(options.rps / RPS_PER_POD))
        self._stable = [plane.add_pod(STABLE, 0) for _ in range(self._size)]
        self._candidate: list[int] = []
        self._down: dict[int, float] = {}
        self._weight = 0
        self._windows: list[tuple[WindowCount, ...]] = []

    def run(self, records: list[tuple[float, str, float]]) -> tuple[tuple[WindowCount, ...], ...]:
        """Every window of the rollout."""
        self._route()
        for at, what, value in records:
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

    def _scrape(self, _: float) -> None:
        for pod in (*self._stable, *self._candidate):
            self._plane.pod_sample(pod, fine=False)  # as a Prometheus scrape takes it
        self._windows.append(self._plane.take_window())

    def _route(self) -> None:
        sides = ((100 - self._weight, self._stable), (self._weight, self._candidate))
        pools = tuple(Pool(weight, tuple(pod for pod in pods if pod not in self._down)) for weight, pods in sides)
        self._plane.set_routes((Route(1.0, pools),))


def records(options: Options) -> list[tuple[float, str, float]]:
    """(instant, what, value) of everything that happens, in order of time."""
    end_s = 60 * options.minutes
    steps = [(end_s * (k + 0.5) / len(WEIGHTS), "step", float(weight)) for k, weight in enumerate(WEIGHTS)]
    scrapes = [(SCRAPE_S * k, "scrape", 0.0) for k in range(1, int(end_s / SCRAPE_S) + 1)]
    return sorted([*steps, *scrapes, *crashes(options.seed, end_s)])


def crashes(seed: int, end_s: float) -> Iterator[tuple[float, str, float]]:
    """Crashes at random instants, and the restarts after them."""
    generator = Streams(seed).generator("bench:crashes")
    at = float(generator.exponential(CRASH_EVERY_S))
    while at < end_s:
        yield at, "crash", float(generator.random())
        yield at + RESTART_S, "restart", 0.0
        at += float(generator.exponential(CRASH_EVERY_S))


def run(kind: type[DataPlane | NaivePlane | LeanPlane], options: Options) -> Run:
    """One run of one model."""
    # The day curve passes its mean, upwards, in the middle of the run.
    load = LoadShape((Stage(60.0, options.rps),), Diurnal(amplitude=0.3, start_hour=14.0 - options.minutes / 120))
    happenings = [record for record in records(options) if record[0] <= 60 * options.minutes]
    began = process_time()
    windows = Rollout(kind(load, Client(), Streams(options.seed)), options).run(happenings)
    cpu_s = process_time() - began
    answers = sum(count for window in windows for side in window for _, count in side.statuses)
    return Run(cpu_s, answers, windows)


def measure(options: Options) -> dict[str, Any]:
    """Ratios of CPU time, SimPy over exact, with how they were measured; the models' answers are checked to agree."""
    run(DataPlane, Options(minutes=0.5, rps=options.rps, seed=options.seed))  # compile, or load what was compiled
    rows = [_round(Options(options.minutes, options.rps, 1, options.seed + k)) for k in range(options.repeat)]
    return {
        "ratio_vs_naive_simpy": {"exact": median(row["naive_cpu_s"] / row["exact_cpu_s"] for row in rows)},
        "ratio_vs_lean_simpy": {"exact": median(row["lean_cpu_s"] / row["exact_cpu_s"] for row in rows)},
        "measured": {
            "how": "CPU seconds of this process (time.process_time), exact before and after each SimPy model (mean of "
            "both); median of the ratios over the seeds; compiled code was loaded before",
            "scenario": {
                "minutes": options.minutes,
                "requests_per_second": options.rps,
                "day_curve": 0.3,
                "pods_per_side": max(SIDE_PODS, ceil(options.rps / RPS_PER_POD)),
                "servers_per_pod": STABLE.concurrency,
                "service_median_s": STABLE.service_time.median_s,
                "service_sigma": STABLE.service_time.sigma,
                "timeout_s": Client().timeout_s,
                "retries": Client().retries,
                "mean_time_between_crashes_s": CRASH_EVERY_S,
                "weights": list(WEIGHTS),
            },
            "runs": rows,
            "same_answers": all(row["same_answers"] for row in rows),
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba", "simpy")},
        },
    }


def _round(options: Options) -> dict[str, Any]:
    """One seed: exact, naive, exact, lean, exact."""
    exact = [run(DataPlane, options)]
    naive = run(NaivePlane, options)
    exact.append(run(DataPlane, options))
    lean = run(LeanPlane, options)
    exact.append(run(DataPlane, options))
    return {
        "seed": options.seed,
        "answers": exact[0].answers,
        "exact_cpu_s": sum(one.cpu_s for one in exact) / len(exact),
        "naive_cpu_s": naive.cpu_s,
        "lean_cpu_s": lean.cpu_s,
        "same_answers": counts(exact[0]) == counts(naive) == counts(lean),
    }


def counts(run_: Run) -> list[tuple[object, ...]]:
    """Everything whole in a run's windows (sums of latencies differ in the last bits)."""
    return [
        (
            side.group,
            side.statuses,
            side.latency_counts,
            side.client_requests,
            side.client_failures,
            side.timeouts,
            side.retries,
        )
        for window in run_.windows
        for side in window
    ]


def table(report: Mapping[str, Any]) -> str:
    """The runs, one line each, and the ratios."""
    lines = ["seed   answers  exact CPU s   ns/answer  naive CPU s  lean CPU s  same answers"]
    lines += [
        f"{row['seed']:4}  {row['answers']:8}  {row['exact_cpu_s']:11.3f}  {1e9 * row['exact_cpu_s'] / row['answers']:10.1f}"
        f"  {row['naive_cpu_s']:11.2f}  {row['lean_cpu_s']:10.2f}  {'yes' if row['same_answers'] else 'NO'}"
        for row in report["measured"]["runs"]
    ]
    naive, lean = report["ratio_vs_naive_simpy"]["exact"], report["ratio_vs_lean_simpy"]["exact"]
    return "\n".join([*lines, f"exact is {naive:.0f} x naive SimPy, {lean:.0f} x the leanest SimPy"])
