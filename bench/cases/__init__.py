"""The benchmarks by name. A case measures there and then and returns JSON-friendly results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bench.cases import accuracy, claims, control_plane, data_plane, gates, proxies, queries, queueing, replications
from bench.cases.options import Options


@dataclass(frozen=True, slots=True)
class Case:
    """A benchmark: what it measures, its results as keys of the report, and those results as a table for people."""

    measure: Callable[[Options], dict[str, Any]]
    table: Callable[[Mapping[str, Any]], str]


CASES: Mapping[str, Case] = MappingProxyType(
    {
        "data-plane": Case(data_plane.measure, data_plane.table),
        "queueing": Case(queueing.measure, queueing.table),
        "proxies": Case(proxies.measure, proxies.table),
        "control-plane": Case(control_plane.measure, control_plane.table),
        "accuracy": Case(accuracy.measure, accuracy.table),
        "queries": Case(queries.measure, queries.table),
        "claims": Case(claims.measure, claims.table),
        "gates": Case(gates.measure, gates.table),
        "replications": Case(replications.measure, replications.table),
    }
)
"""The data planes against SimPy models and plain C (same rollout, requests, draws and answers), against Ciw, with proxies too, a
rollout without traffic, the playbook's PromQL over fleets of pods, settings of gates judged on recorded paths, the errors of the tests that decide
policies, and whole replications by
the minute.
"""
