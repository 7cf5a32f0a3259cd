"""The first row of a journal, whatever writes it."""

from __future__ import annotations

from math import erf, exp, log, sqrt

from sim.model.behaviour import Delay, Shape, VersionBehaviour
from sim.model.load import Client
from sim.model.records import SCHEMA_VERSION, HeaderRecord
from sim.model.scenario import Scenario
from sim.model.strategy import kind_of


def header(scenario: Scenario, seed: int, scenario_hash: str, backend: str, desired_pods: int) -> HeaderRecord:
    """What a run's journal begins with; ``desired_pods`` are wanted outside of releases."""
    return HeaderRecord(
        t_s=-scenario.warm_up_s,
        schema=SCHEMA_VERSION,
        scenario_hash=scenario_hash,
        title=scenario.title,
        strategy=scenario.name or kind_of(scenario.strategy),
        variant=scenario.variant,
        release=scenario.release.name,
        release_good=scenario.release.good,
        seed=seed,
        backend=backend,
        desired_pods=desired_pods,
        slo=scenario.slo,
        warm_up_s=scenario.warm_up_s,
        base_failure_ratio=base_failure_ratio(scenario.stable, scenario.client),
        buckets_s=scenario.telemetry.prometheus.buckets_s,
    )


def base_failure_ratio(behaviour: VersionBehaviour, client: Client) -> float:
    """Share of client requests expected to fail finally under this version alone, unloaded.

    An attempt times out when its service time is above the client's patience, else it is answered; time-outs and the
    statuses in ``retry_on`` are tried again, other 5xx are final. Queueing and faults are left out.
    """
    timeout = 0.0 if client.timeout_s is None else _above(behaviour.service_time, client.timeout_s)
    failing = [(status, share) for status, share in behaviour.statuses if status >= 500]
    again = timeout + (1 - timeout) * sum(share for status, share in failing if status in client.retry_on)
    final = (1 - timeout) * sum(share for status, share in failing if status not in client.retry_on)
    tries = [again**k for k in range(client.retries + 1)]
    return final * sum(tries) + again ** (client.retries + 1)


def _above(delay: Delay, bound_s: float) -> float:
    """Probability that a random time exceeds a bound."""
    if delay.shape is Shape.CONSTANT or delay.median_s == 0 or (delay.shape is Shape.LOGNORMAL and delay.sigma == 0):
        return float(delay.median_s > bound_s)
    if bound_s <= 0:
        return 1.0
    if delay.shape is Shape.EXPONENTIAL:
        return exp(-bound_s * log(2) / delay.median_s)
    return 0.5 * (1 - erf(log(bound_s / delay.median_s) / (delay.sigma * sqrt(2))))
