"""Closed formulas, and replications of one pod under a steady load to compare them with."""

from __future__ import annotations

from math import exp, factorial, log, sqrt
from statistics import mean, stdev

from scipy.stats import t as student

from sim.model.behaviour import Delay, VersionBehaviour
from sim.model.load import Client, LoadShape, Stage
from sim.streams import Streams
from sim.traffic import DataPlane, Pool, Route

PATIENT = Client(timeout_s=None, retries=0)
REPLICATIONS = 20
CONFIDENCE = 0.99


def erlang_c_wait_s(servers: int, rate_rps: float, mean_service_s: float) -> float:
    """Mean wait in M/M/c (Erlang 1917)."""
    load = rate_rps * mean_service_s
    last = load**servers / factorial(servers) * servers / (servers - load)
    waits = last / (sum(load**k / factorial(k) for k in range(servers)) + last)
    return waits * mean_service_s / (servers - load)


def pollaczek_khinchine_wait_s(rate_rps: float, mean_service_s: float, squared_cv: float) -> float:
    """Mean wait in M/G/1."""
    load = rate_rps * mean_service_s
    return load / (1 - load) * mean_service_s * (1 + squared_cv) / 2


def median_of_exponential_s(mean_s: float) -> float:
    return mean_s * log(2)


def median_of_lognormal_s(mean_s: float, sigma: float) -> float:
    return mean_s * exp(-(sigma**2) / 2)


def steady_plane(seed: int, rate_rps: float, service: Delay, servers: int, start_s: float = 0.0) -> DataPlane:
    plane = DataPlane(LoadShape((Stage(60.0, rate_rps),)), PATIENT, Streams(seed), start_s=start_s)
    pod = plane.add_pod(VersionBehaviour("v1", service, (), concurrency=servers), 0)
    plane.set_routes((Route(1.0, (Pool(1.0, (pod,)),)),))
    return plane


def mean_latency_s(seed: int, rate_rps: float, service: Delay, servers: int, requests: float) -> float:
    """Mean latency of one replication, without its first fifth."""
    plane = steady_plane(seed, rate_rps, service, servers)
    plane.advance(requests / rate_rps / 5)
    plane.take_window()
    plane.advance(requests / rate_rps)
    (window,) = plane.take_window()
    return window.latency_sum_s / sum(window.latency_counts)


def interval(values: list[float]) -> tuple[float, float]:
    """The confidence interval of the mean, by Student's t."""
    half = float(student.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return mean(values) - half, mean(values) + half
