"""The data plane with proxies: load balancing by requests under way, outlier detection and retries, against SimPy."""

from __future__ import annotations

from collections.abc import Mapping
from time import process_time
from typing import Any, Final

from bench.cases.options import Options
from bench.proxied import ProxiedPlane
from sim.model.behaviour import VersionBehaviour
from sim.model.load import Client, LoadShape, Stage
from sim.model.network import OutlierDetection
from sim.streams import Streams
from sim.traffic import Balancing, Cluster, DataPlane, Handling, Pool, Route, WindowCount

PODS: Final = 10
WINDOW_S: Final = 15.0
MINUTES: Final = 2.0
"""The SimPy model of proxies is slow: it is measured over this long at most."""
CLUSTER: Final = Cluster("pods", Balancing.LEAST_REQUEST, outlier=OutlierDetection())
RETRIES: Final = Handling(retries=2, retry_on=(503,), retry_refused=True)


def measure(options: Options) -> dict[str, Any]:
    """CPU seconds of the same traffic straight to pods, through proxies, and through proxies in SimPy."""
    minutes = min(options.minutes, MINUTES)
    for watched in (False, True):
        _run(DataPlane(*_inputs(options)), 0.5, watched=watched)  # compile, or load what was compiled
    plain_s, _ = _run(DataPlane(*_inputs(options)), minutes, watched=False)
    exact_s, exact = _run(DataPlane(*_inputs(options)), minutes, watched=True)
    naive_s, naive = _run(ProxiedPlane(*_inputs(options), start_s=0.0, proxies=1), minutes, watched=True)
    answers = sum(count for window in exact for side in window for _, count in side.statuses)
    return {
        "measured": {
            "same_answers": _whole(exact) == _whole(naive),
            "answers": answers,
            "plain_ns": 1e9 * plain_s / answers,
            "exact_ns": 1e9 * exact_s / answers,
            "ratio_vs_naive_simpy": naive_s / exact_s,
        }
    }


def table(report: Mapping[str, Any]) -> str:
    """One line."""
    row = report["measured"]
    return (
        f"{row['answers']} answers: {row['plain_ns']:.0f} ns each straight to pods, {row['exact_ns']:.0f} ns through proxies, "
        f"{row['ratio_vs_naive_simpy']:.0f} x naive SimPy; same answers: {'yes' if row['same_answers'] else 'NO'}"
    )


def _inputs(options: Options) -> tuple[LoadShape, Client, Streams]:
    return LoadShape((Stage(60.0, options.rps),)), Client(), Streams(options.seed)


def _run(
    plane: DataPlane | ProxiedPlane, minutes: float, *, watched: bool
) -> tuple[float, list[tuple[WindowCount, ...]]]:
    pods = tuple(plane.add_pod(VersionBehaviour("v"), 0) for _ in range(PODS))
    route = Route(1.0, (Pool(1.0, pods, cluster=CLUSTER),), RETRIES) if watched else Route(1.0, (Pool(1.0, pods),))
    plane.set_routes((route,))
    began, windows = process_time(), []
    for k in range(1, int(60 * minutes / WINDOW_S) + 1):
        plane.advance(k * WINDOW_S)
        windows.append(plane.take_window())
    return process_time() - began, windows


def _whole(windows: list[tuple[WindowCount, ...]]) -> list[tuple[object, ...]]:
    """Everything whole in the windows."""
    return [
        (side.group, side.statuses, side.latency_counts, side.client_requests, side.client_failures, side.timeouts)
        for window in windows
        for side in window
    ]
