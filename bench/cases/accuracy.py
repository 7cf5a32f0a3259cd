"""How far the data plane in aggregate is from the exact one: means, spreads and their course, of all that gates read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.cases.options import Options
from sim.model.behaviour import Delay, Shape, VersionBehaviour
from sim.model.data_plane import DataPlaneMode
from sim.model.load import Client, LoadShape, Stage
from sim.model.telemetry import PROMETHEUS_BUCKETS_S
from sim.streams import Streams
from sim.traffic import Balancing, Cluster, DataPlane, Handling, Pool, Route
from sim.traffic.aggregate import MixedPlane
from sim.traffic.fine import quantiles
from sim.traffic.interface import Look, Plane

Floats = NDArray[np.float64]

WINDOW_S: Final = 15.0
WIDTHS: Final = (1, 4, 20)
"""Windows joined: 15 s, 1 min, 5 min."""
SHARES: Final = (0.5, 0.9, 0.95, 0.99)
SETTLE_S: Final = 60.0
MEAN_S: Final = 0.045


@dataclass(frozen=True, slots=True)
class Setting:
    """Pods of one kind at one utilisation."""

    shape: Shape
    servers: int
    utilisation: float
    pods: int = 10
    sigma: float = 0.5
    mean_s: float = MEAN_S
    errors: float = 0.01
    balancing: Balancing | None = None
    """Of a proxy in front, which tries 503s again, twice; None: there is no proxy."""
    proxies: int = 1
    retried: float = 0.0
    """The share of answers that are 503."""

    @property
    def behaviour(self) -> VersionBehaviour:
        """The version they run; its mean service time is as wished for, whatever the shape."""
        unit = Delay(1.0, self.shape, self.sigma)
        delay = Delay(self.mean_s / unit.mean_s, self.shape, self.sigma)
        return VersionBehaviour("v1", delay, ((500, self.errors), (503, self.retried)), self.servers)

    @property
    def rate_rps(self) -> float:
        """Of all pods together."""
        return self.pods * self.servers * self.utilisation / self.mean_s

    @property
    def name(self) -> str:
        """For tables."""
        shape = f"{self.shape} {self.sigma:g}" if self.shape is Shape.LOGNORMAL else str(self.shape)
        proxy = f", {self.balancing} x {self.proxies}" if self.balancing is not None else ""
        again = f", {100 * self.retried:g} % tried again" if self.retried else ""
        return f"{shape}, {self.servers} servers, {self.pods} pods, {self.rate_rps:.0f}/s{proxy}{again}"

    def routes(self, pods: tuple[int, ...]) -> tuple[Route, ...]:
        """All requests to all pods."""
        if self.balancing is None:
            return (Route(1.0, (Pool(1.0, pods),)),)
        pool = Pool(1.0, pods, cluster=Cluster("v1", self.balancing))
        return (Route(1.0, (pool,), Handling(2, (503,), retry_refused=True)),)


@dataclass(frozen=True, slots=True)
class Series:
    """What one plane answered in successive windows: totals of all pods."""

    answers: Floats
    failed: Floats
    latency_s: Floats
    buckets: Floats
    fine: Floats = field(repr=False)


def seen(plane: Plane, setting: Setting, windows: int) -> Series:
    """The windows of one plane under steady traffic."""
    pods = tuple(plane.add_pod(setting.behaviour, 0) for _ in range(setting.pods))
    plane.set_routes(setting.routes(pods))
    instants = tuple(SETTLE_S + WINDOW_S * k for k in range(windows + 1))
    samples = plane.observe([Look(instants, pods, fine=True)]).samples[0]
    answers = np.diff(samples.answers.sum(axis=1), axis=0).astype(np.float64)
    failed = answers[:, [k for k, code in enumerate(samples.codes) if code >= 500]].sum(axis=1)
    return Series(
        answers.sum(axis=1),
        failed,
        np.diff(samples.latency_sum_s.sum(axis=1)),
        np.diff(samples.buckets.sum(axis=1), axis=0).astype(np.float64),
        np.diff(samples.fine.sum(axis=1), axis=0).astype(np.float64),
    )


def statistics(series: Series, width: int) -> dict[str, Floats]:
    """Every statistic by name, one value a window of ``width`` of the smallest."""
    whole = len(series.answers) // width * width

    def joined(values: Floats) -> Floats:
        return values[:whole].reshape(-1, width, *values.shape[1:]).sum(axis=1)  # type: ignore[no-any-return]

    answers = joined(series.answers)
    buckets, fine = joined(series.buckets), joined(series.fine)
    found = {
        "rate": answers,
        "errors": joined(series.failed) / answers,
        "average": joined(series.latency_s) / answers,
    }
    shares = quantiles(fine.astype(np.int64), SHARES)
    for k, share in enumerate(SHARES):
        found[f"p{100 * share:.0f}"] = shares[:, k]
    for share in SHARES:
        found[f"p{100 * share:.0f} of buckets"] = np.array([bucket_quantile(one, share) for one in buckets])
    return found


def bucket_quantile(counts: Floats, share: float) -> float:
    """Prometheus' ``histogram_quantile``."""
    reached = np.cumsum(counts)
    rank = share * reached[-1]
    place = int(np.searchsorted(reached, rank))
    if place >= len(PROMETHEUS_BUCKETS_S):
        return PROMETHEUS_BUCKETS_S[-1]
    lower = PROMETHEUS_BUCKETS_S[place - 1] if place else 0.0
    below = reached[place - 1] if place else 0.0
    return float(lower + (PROMETHEUS_BUCKETS_S[place] - lower) * (rank - below) / counts[place])


def planes(setting: Setting, seed: int) -> tuple[Plane, Plane]:
    """Exact, and in aggregate whatever the utilisation."""
    load = LoadShape((Stage(60.0, setting.rate_rps),))
    streams = Streams(seed)
    return (
        DataPlane(load, Client(), streams, proxies=setting.proxies),
        MixedPlane(load, Client(), streams, proxies=setting.proxies, mode=DataPlaneMode.AGGREGATE),
    )


def compared(setting: Setting, windows: int, seed: int) -> dict[str, Any]:
    """One row: by width and statistic, relative error of the mean, its error in spreads, ratio of spreads, with their own errors."""
    exact, aggregate = (seen(plane, setting, windows) for plane in planes(setting, seed))
    return {
        "setting": setting.name,
        "utilisation": setting.utilisation,
        "windows": windows,
        "by_width": {
            f"{WINDOW_S * width:.0f}": {
                name: _difference(theirs, statistics(aggregate, width)[name])
                for name, theirs in statistics(exact, width).items()
            }
            for width in WIDTHS
        },
    }


def _difference(exact: Floats, aggregate: Floats) -> dict[str, float]:
    spread, ours = float(exact.std(ddof=1)), float(aggregate.std(ddof=1))
    bias = float(aggregate.mean() - exact.mean())
    around = exact - exact.mean()
    return {
        "mean": float(exact.mean()),
        "bias": bias / float(exact.mean()),
        "bias_error": sqrt((spread**2 + ours**2) / len(exact)) / float(exact.mean()),
        "bias_in_spreads": bias / spread if spread > 0 else 0.0,
        "spread": spread / float(exact.mean()),
        "spread_ratio": ours / spread if spread > 0 else 1.0,
        "spread_ratio_error": 1 / sqrt(len(exact)),
        "lag_1": float((around[1:] * around[:-1]).mean() / around.var()) if spread > 0 else 0.0,
    }


LOG, EXP, CONST = Shape.LOGNORMAL, Shape.EXPONENTIAL, Shape.CONSTANT
LEAST: Final = Balancing.LEAST_REQUEST
SETTINGS: Final = (
    *(Setting(LOG, 8, rho) for rho in (0.1, 0.3, 0.5, 0.6, 0.68, 0.75)),
    *(Setting(EXP, 8, rho) for rho in (0.5, 0.68)),
    Setting(CONST, 8, 0.68),
    Setting(LOG, 8, 0.6, sigma=1.0),
    Setting(LOG, 8, 0.6, pods=1),
    Setting(LOG, 8, 0.6, pods=60),
    *(Setting(EXP, 1, rho, mean_s=0.011) for rho in (0.25, 0.5)),
    Setting(LOG, 2, 0.42),
    Setting(LOG, 32, 0.8, pods=3),
    Setting(LOG, 8, 0.3, pods=10, balancing=LEAST),
    Setting(LOG, 8, 0.59, pods=10, balancing=LEAST),
    Setting(LOG, 8, 0.59, pods=5, balancing=LEAST, proxies=3),
    Setting(LOG, 8, 0.5, pods=2, balancing=LEAST, proxies=3),
    Setting(LOG, 8, 0.59, pods=10, balancing=Balancing.ROUND_ROBIN),
    Setting(EXP, 8, 0.5, pods=5, balancing=LEAST),
    Setting(LOG, 8, 0.3, pods=10, balancing=LEAST, retried=0.05),
)
"""Up to the limits of ``auto`` (0.68 for 8 servers, 0.25 for one, 0.42 for two, 0.8 for 32; for 8 evened out by
proxies 0.59, 0.5 of two pods behind three proxies or with exponential services), and a few beyond."""


def measure(options: Options) -> dict[str, Any]:
    """Every setting, ``repeat`` hours of windows each."""
    windows = int(3600 * options.repeat / WINDOW_S)
    rows = [compared(setting, windows, options.seed) for setting in SETTINGS]
    return {"accuracy": rows}


def table(report: Mapping[str, Any]) -> str:
    """Width by width: error of the mean in per cent, and ratio of spreads, for each statistic."""
    lines = []
    for width in (f"{WINDOW_S * one:.0f}" for one in WIDTHS):
        names = list(report["accuracy"][0]["by_width"][width])
        lines += [f"windows of {width} s: error of the mean in % of it (in spreads), ratio of spreads, lag-1 of exact"]
        lines += [f"{'':45}" + "".join(f"{name:>26}" for name in names)]
        for row in report["accuracy"]:
            cells = (row["by_width"][width][name] for name in names)
            text = "".join(
                f"{100 * one['bias']:8.2f} ({one['bias_in_spreads']:5.2f}) {one['spread_ratio']:4.2f} {one['lag_1']:5.2f}"
                for one in cells
            )
            lines.append(f"{row['utilisation']:4.2f} {row['setting']:40}" + text)
    return "\n".join(lines)
