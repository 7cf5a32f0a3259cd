"""From a metric's query to what it counts, whatever its provider; ``Unread`` says why where it is neither kind."""

from __future__ import annotations

from scenarios.power.datadog import of_datadog
from scenarios.power.probes import Probe
from scenarios.power.promql import of_promql
from scenarios.power.readings import Reading
from scenarios.power.shares import Judge, Unread
from sim.metrics import providers
from sim.model.analysis import DatadogProvider, Metric, PrometheusProvider
from sim.model.controller import Controller


def reading(metric: Metric, probe: Probe, controller: Controller) -> Reading:
    """What the metric judges; ``Unread`` with the reason if it is neither kind."""
    provider = metric.provider
    judge = Judge(metric, providers.result_type(provider), controller.expr)
    match provider:
        case PrometheusProvider(query, range_query=ranged):
            if ranged is not None:
                raise Unread(why="a range query is judged point by point")
            return of_promql(judge, query, probe)
        case DatadogProvider():
            return of_datadog(judge, provider, probe)
    raise Unread(why=f"what {provider.kind} answers is scripted by the scenario, not simulated")
