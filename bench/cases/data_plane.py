"""The data planes on one rollout: exact against two SimPy models with the same draws and answers, aggregate, and plain C."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from math import sqrt
from statistics import mean, median
from typing import Any, Final

import numpy as np

from bench import plain
from bench.cases.options import Options
from bench.lean import LeanPlane
from bench.naive import NaivePlane
from bench.rollout import Course, Run, counts, run, scenario
from sim.traffic import DataPlane
from sim.traffic.aggregate import MixedPlane

MANY_RPS: Final = 100_000.0
TIMES: Final = 3
"""How often a fast plane is run at a time."""
CLOSE: Final = 5.0
"""Standard deviations of a difference that two planes with draws of their own may be apart."""
HOW: Final = (
    "CPU seconds of this process (time.process_time); exact, aggregate and plain C three times each before, between and after the "
    "SimPy models (means); median of the ratios over the seeds; compiled code was loaded and the aggregate's tables were made before, which aggregate_first_run_cpu_s has in it. exact, both SimPy models "
    "and plain C give the same answers; aggregate draws its own. Plain C (bench/plain.c) does this rollout alone and is told of "
    "every crash beforehand; it makes the same draws itself, or is handed them"
)


def measure(options: Options) -> dict[str, Any]:
    """Ratios of CPU time and nanoseconds an answer, with how they were measured; the answers are checked to agree."""
    course = Course(options.minutes, options.rps, options.seed)
    for kind in (DataPlane, MixedPlane):
        run(kind, replace(course, minutes=0.5))  # compile, or load what was compiled
    c, compiler = plain.compiled()
    first_s = run(MixedPlane, course).cpu_s  # makes, or reads, the tables of waits
    rows = [_round(replace(course, seed=options.seed + k), c) for k in range(options.repeat)]
    many = _repeated(lambda: run(MixedPlane, replace(course, rps=MANY_RPS)))
    return {
        "ratio_vs_naive_simpy": {plane: _ratio(rows, "naive", plane) for plane in ("exact", "aggregate")},
        "ratio_vs_lean_simpy": {plane: _ratio(rows, "lean", plane) for plane in ("exact", "aggregate")},
        "ns_per_request": {name: _ns(rows, name) for name in ("exact", "aggregate", "plain_c", "plain_c_given_draws")},
        "aggregate_at_100000_rps_cpu_s": many.cpu_s,
        "measured": {
            "how": HOW,
            "scenario": scenario(course),
            "runs": rows,
            "aggregate_first_run_cpu_s": first_s,
            "same_answers": all(row["same_answers"] for row in rows),
            "plain_c": compiler,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba", "simpy")},
        },
    }


def _round(course: Course, c: plain.Program | None) -> dict[str, Any]:
    """One seed: the fast ones before, between and after the slow ones."""
    fast = [_fast(course, c)]
    naive = run(NaivePlane, course)
    fast.append(_fast(course, c))
    lean = run(LeanPlane, course)
    fast.append(_fast(course, c))
    exact, aggregate = fast[0]["exact"], fast[0]["aggregate"]
    same = [counts(run_.windows) == counts(exact.windows) for run_ in (naive, lean)]
    if c is not None:
        same += [counts(fast[0][name].windows) == counts(exact.windows) for name in ("plain_c", "plain_c_given_draws")]
    return {
        "seed": course.seed,
        "answers": exact.answers,
        "naive_cpu_s": naive.cpu_s,
        "lean_cpu_s": lean.cpu_s,
        **{f"{name}_cpu_s": mean(one[name].cpu_s for one in fast) for name in fast[0]},
        "aggregate_distance": distance(exact, aggregate),
        "same_answers": all(same) and distance(exact, aggregate) < CLOSE,
    }


def _fast(course: Course, c: plain.Program | None) -> dict[str, Run]:
    runs = {"exact": _repeated(lambda: run(DataPlane, course)), "aggregate": _repeated(lambda: run(MixedPlane, course))}
    if c is not None:
        runs["plain_c_given_draws"] = _repeated(lambda: c.run(course, own=False))
        runs["plain_c"] = _repeated(lambda: c.run(course, own=True))
    return runs


def _repeated(once: Callable[[], Run]) -> Run:
    """A run in the mean time of several, which are too short to be measured once."""
    runs = [once() for _ in range(TIMES)]
    return replace(runs[0], cpu_s=mean(one.cpu_s for one in runs))


def _ratio(rows: list[dict[str, Any]], slow: str, fast: str) -> float:
    return median(float(row[f"{slow}_cpu_s"] / row[f"{fast}_cpu_s"]) for row in rows)


def _ns(rows: list[dict[str, Any]], name: str) -> float | None:
    found = [1e9 * row[f"{name}_cpu_s"] / row["answers"] for row in rows if f"{name}_cpu_s" in row]
    return median(found) if found else None


def distance(one: Run, other: Run) -> float:
    """The largest difference of two runs' totals by latency bucket and status, in its standard deviations.

    Counts of independent requests are Poisson at most, and the planes have draws of their own: the variance of a
    difference is the sum of both counts.
    """
    found: list[float] = []
    for mine, yours in zip(_totals(one), _totals(other), strict=True):
        found += [abs(a - b) / sqrt(max(a + b, 1)) for a, b in zip(mine.tolist(), yours.tolist(), strict=True)]
    return max(found)


def _totals(run_: Run) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Answers by latency bucket, and the clients' side, over the whole run."""
    return [
        np.sum([series.buckets.sum(axis=(0, 1)) for series in run_.windows], axis=0),
        np.sum([series.clients.sum(axis=(0, 1))[:2] for series in run_.windows], axis=0),
    ]


def table(report: Mapping[str, Any]) -> str:
    """The runs, one line each, and the ratios."""
    names = ("exact", "aggregate", "naive", "lean", "plain_c", "plain_c_given_draws")
    rows = report["measured"]["runs"]
    lines = ["seed   answers" + "".join(f"  {name.replace('_', ' '):>19}" for name in names) + "  same answers"]
    lines += [
        f"{row['seed']:4}  {row['answers']:8}"
        + "".join(f"  {row[f'{name}_cpu_s']:17.3f} s" if f"{name}_cpu_s" in row else f"  {'-':>19}" for name in names)
        + f"  {'yes' if row['same_answers'] else 'NO'}"
        for row in rows
    ]
    naive, lean = report["ratio_vs_naive_simpy"], report["ratio_vs_lean_simpy"]
    each = {name: f"{ns:.1f}" for name, ns in report["ns_per_request"].items() if ns is not None}
    return "\n".join(
        [
            *lines,
            f"exact is {naive['exact']:.0f} x naive SimPy, {lean['exact']:.0f} x the leanest SimPy",
            f"aggregate is {naive['aggregate']:.0f} x naive SimPy, {lean['aggregate']:.0f} x the leanest SimPy",
            "ns of CPU an answer: " + ", ".join(f"{name.replace('_', ' ')} {ns}" for name, ns in each.items()),
            f"aggregate's first run in this process, with its tables: {report['measured']['aggregate_first_run_cpu_s']:.3f} s of CPU",
            f"aggregate at 100,000 requests/s: {report['aggregate_at_100000_rps_cpu_s']:.3f} s of CPU",
            f"plain C: {report['measured']['plain_c']}",
        ]
    )
