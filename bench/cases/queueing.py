"""Pods as a queueing network without crashes, clients that give up or weights: the exact data plane against Ciw."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from math import log, sqrt
from time import process_time
from typing import Any, Final, NamedTuple

from bench.cases.options import Options
from sim.model.behaviour import VersionBehaviour
from sim.model.load import Client, LoadShape, Stage
from sim.streams import Streams
from sim.traffic import DataPlane, Pool, Route
from sim.traffic.fine import lower_edges_s

PODS: Final = 10
SECONDS: Final = 20.0
"""Ciw is measured over this long at most, and extrapolated."""
CLOSE: Final = 5.0
"""Standard errors that the mean latencies of two models may be apart."""
VERSION: Final = VersionBehaviour("v", statuses=())


class Measured(NamedTuple):
    """One model's run: CPU seconds, requests answered, mean and standard deviation of their latencies."""

    cpu_s: float
    requests: int
    mean_s: float
    sd_s: float


def measure(options: Options) -> dict[str, Any]:
    """Nanoseconds a request in both; the mean latencies are checked to agree. Without Ciw: why it was not measured."""
    try:
        ciw_version = version("ciw")
    except PackageNotFoundError:
        return {
            "ratio_vs_ciw": None,
            "measured": {"how": "not measured: ciw is not installed (nox -s bench installs it)"},
        }
    seconds = min(60 * options.minutes, SECONDS)
    _exact(options, 1.0)  # compile, or load what was compiled
    before, ciw, after = (
        _exact(options, 60 * options.minutes),
        _ciw(options, seconds),
        _exact(options, 60 * options.minutes),
    )
    exact_ns = 5e8 * (before.cpu_s + after.cpu_s) / before.requests
    ciw_ns = 1e9 * ciw.cpu_s / ciw.requests
    apart = abs(ciw.mean_s - before.mean_s) / sqrt(ciw.sd_s**2 / ciw.requests + before.sd_s**2 / before.requests)
    return {
        "ratio_vs_ciw": {"exact": ciw_ns / exact_ns},
        "measured": {
            "how": f"{PODS} nodes of {VERSION.concurrency} servers, Poisson arrivals split evenly, log-normal service, for both; "
            f"CPU time, Ciw over {seconds:.0f} s of simulated time from empty and extrapolated by request, exact over "
            f"{options.minutes:g} minutes before and after",
            "exact_ns": exact_ns,
            "ciw_ns": ciw_ns,
            "ciw_extrapolated_cpu_s": 1e-9 * ciw_ns * before.requests,
            "mean_latency_s": {"exact": before.mean_s, "ciw": ciw.mean_s},
            "standard_errors_apart": apart,
            "same_answers": apart < CLOSE,
            "ciw": ciw_version,
        },
    }


def _exact(options: Options, seconds: float) -> Measured:
    began = process_time()
    plane = DataPlane(LoadShape((Stage(60.0, options.rps),)), Client(timeout_s=None, retries=0), Streams(options.seed))
    pods = tuple(plane.add_pod(VERSION, 0) for _ in range(PODS))
    plane.set_routes((Route(1.0, (Pool(1.0, pods),)),))
    plane.advance(seconds)
    (window,) = plane.take_window()
    cpu_s = process_time() - began
    fine = sum(sample.fine for pod in pods if (sample := plane.pod_sample(pod)).fine is not None)
    edges_s = lower_edges_s()
    middles_s = (edges_s[1:] + edges_s[:-1]) / 2
    mean_s = window.latency_sum_s / window.client_requests
    sd_s = sqrt(float((fine * (middles_s - mean_s) ** 2).sum()) / window.client_requests)
    return Measured(cpu_s, window.client_requests, mean_s, sd_s)


def _ciw(options: Options, seconds: float) -> Measured:
    ciw: Any = import_module("ciw")  # it may not be there
    kind = VERSION.service_time
    began = process_time()
    ciw.seed(options.seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=options.rps / PODS)] * PODS,
        service_distributions=[ciw.dists.Lognormal(mean=log(kind.median_s), sd=kind.sigma)] * PODS,
        number_of_servers=[VERSION.concurrency] * PODS,
        routing=[[0.0] * PODS] * PODS,
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(seconds)
    cpu_s = process_time() - began
    latencies_s = [record.exit_date - record.arrival_date for record in simulation.get_all_records()]
    mean_s = sum(latencies_s) / len(latencies_s)
    return Measured(
        cpu_s,
        len(latencies_s),
        mean_s,
        sqrt(sum((latency_s - mean_s) ** 2 for latency_s in latencies_s) / len(latencies_s)),
    )


def table(report: Mapping[str, Any]) -> str:
    """One line."""
    row = report["measured"]
    if "exact_ns" not in row:
        return str(row["how"])
    return (
        f"{row['exact_ns']:.0f} ns a request in exact, {1e-3 * row['ciw_ns']:.0f} us in Ciw {row['ciw']}: "
        f"{report['ratio_vs_ciw']['exact']:.0f} x; mean latencies {1e3 * row['mean_latency_s']['exact']:.2f} and "
        f"{1e3 * row['mean_latency_s']['ciw']:.2f} ms, {row['standard_errors_apart']:.1f} standard errors apart"
    )
