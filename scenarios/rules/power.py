"""What a gate can tell at a scenario's traffic: requests a measurement judges, chances of judging wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from scenarios.rules import promql_tree
from scenarios.rules.binomial import ALPHA, BETA, beyond, false_fail, miss
from scenarios.rules.ratios import RatioGate, ratio_gate
from scenarios.rules.selectors import datadog_selectors, promql_selectors
from scenarios.rules.timeline import Gate
from scenarios.rules.tree import seconds, text
from sim.model.behaviour import Errors, Trigger, VersionBehaviour
from sim.model.scenario import Scenario

MOST_TRAFFIC = 100.0
"""Times today's traffic; beyond it the advice helps nobody."""
_LEVEL = re.compile(r"(?:^|[._])p?(\d{2}(?:\.\d+)?)(?:percentile)?$")


@dataclass(frozen=True)
class Power:
    """One gate on an error share, at the weight where it sees the least."""

    gate: RatioGate
    rate_rps: float
    weight: float
    window_s: float
    healthy: float
    """Error share of the stable version, as the gate counts errors."""
    bad: float
    """Smallest error share above the limit among the scenario's bad releases; twice the limit if it has none."""

    @property
    def requests(self) -> int:
        """Requests in one measurement."""
        return round(self.rate_rps * self.weight / 100 * self.window_s)

    @property
    def false_fail(self) -> float:
        """P(one measurement of a healthy release fails)."""
        return false_fail(self.requests, self.gate.limit, self.healthy)

    @property
    def miss(self) -> float:
        """P(one measurement of the bad release passes)."""
        return miss(self.requests, self.gate.limit, self.bad)


@dataclass(frozen=True)
class Verdict:
    """How often a whole gate judges wrong: all its measurements, and the failures it tolerates."""

    measurements: int
    overlap: int
    """Measurements in a row whose windows overlap, which are taken to agree; 1 where they are independent."""
    false_abort: float
    """P(a healthy release fails the gate)."""
    miss: float
    """P(the bad release passes it)."""

    @property
    def is_safe(self) -> bool:
        """Whether neither happens in more than one release of twenty."""
        return self.false_abort <= ALPHA and self.miss <= BETA


def verdict(gate: Gate, scenario: Scenario, found: Power, factor: float = 1.0) -> Verdict:
    """The gate over all its measurements, with ``factor`` times the traffic.

    Each measurement fails with its exact binomial probability at the weight and rate of its instant; measurements whose
    windows overlap share requests and are taken to agree, which is an approximation.
    """
    requests = [
        round(factor * scenario.load.rate_rps(max(0.0, at)) * weight / 100 * found.window_s)
        for at, weight in gate.measurements()
    ]
    interval = gate.metric.interval_s or 0.0
    overlap = max(1, ceil(found.window_s / interval - 1e-9)) if interval > 0 else 1
    blocks = [(requests[start], len(requests[start : start + overlap])) for start in range(0, len(requests), overlap)]
    limit = gate.metric.failure_limit
    fails = {count: false_fail(count, found.gate.limit, found.healthy) for count in set(requests)}
    passes = {count: miss(count, found.gate.limit, found.bad) for count in set(requests)}
    aborted = beyond([(fails[count], size) for count, size in blocks], limit)
    caught = beyond([(1 - passes[count], size) for count, size in blocks], limit)
    return Verdict(len(requests), overlap, aborted, 1 - caught)


def traffic_needed(gate: Gate, scenario: Scenario, found: Power) -> float | None:
    """Times the traffic at which the gate judges right, in steps of a quarter; None if a hundred times does not do."""
    factor = 1.0
    while factor <= MOST_TRAFFIC:
        if verdict(gate, scenario, found, factor).is_safe:
            return factor
        factor *= 1.25
    return None


def power(gate: Gate, scenario: Scenario) -> Power | None:
    """The power of a gate, or None if it does not judge an error share or never sees the canary."""
    ratio = ratio_gate(gate.metric)
    if ratio is None or gate.weight <= 0 or ratio.limit <= 0:
        return None
    window = ratio.window_s or scenario.telemetry.datadog.bucket_s
    rate = scenario.load.rate_rps(max(0.0, gate.start_s))
    healthy = error_share(scenario.stable, ratio)
    shares = [
        error_share(release.behaviour, ratio) for release in (scenario.release, *scenario.mix) if not release.good
    ]
    bad = min((share for share in shares if share > ratio.limit), default=min(1.0, 2 * ratio.limit))
    return Power(ratio, rate, gate.weight, window, healthy, bad)


def error_share(behaviour: VersionBehaviour, gate: RatioGate) -> float:
    """Share of a version's answers that the gate counts as errors, faults that act from the start included."""
    own = sum(share for status, share in behaviour.statuses if _counts(status, gate))
    always = (
        fault.effect
        for fault in behaviour.faults
        if isinstance(fault.effect, Errors) and fault.trigger == Trigger() and fault.target.share >= 1
    )
    passed = 1.0
    for effect in always:
        passed *= 1 - effect.ratio if _counts(effect.status, gate) else 1.0
    return min(1.0, 1 - (1 - own) * passed)


def _counts(status: int, gate: RatioGate) -> bool:
    if gate.only_2xx:
        return not 200 <= status < 300
    return status >= (400 if gate.client_errors else 500)


@dataclass(frozen=True)
class QuantileSample:
    """A gate on a quantile, and how many requests lie above it in one measurement."""

    level: float
    requests: int

    @property
    def needed(self) -> int:
        """Requests with ten of them beyond the quantile; with fewer, it is decided by a handful."""
        return round(10 / (1 - self.level))


def quantile_samples(gate: Gate, scenario: Scenario) -> Iterator[QuantileSample]:
    """Every quantile a gate judges, with the requests behind it."""
    rate = scenario.load.rate_rps(max(0.0, gate.start_s)) * gate.weight / 100
    query = text(gate.metric.metric, "provider", "prometheus", "query")
    tree = promql_tree.parse(query) if query else None
    if tree is not None:
        windows = [seconds(selector.window) or 0.0 for selector in promql_selectors(query) if selector.window]
        for level, _ in promql_tree.quantiles(tree):
            if level is not None and 0 < level < 1 and windows:
                yield QuantileSample(level, round(rate * min(windows)))
    for selector in datadog_selectors(text(gate.metric.metric, "provider", "datadog", "query")):
        level = quantile_level(selector.metric, selector.aggregation)
        if level is not None:
            yield QuantileSample(level, round(rate * scenario.telemetry.datadog.bucket_s))


def quantile_level(metric: str, aggregation: str) -> float | None:
    """0.99 of ``x.99percentile`` or ``p99:x``; None for anything else."""
    for name in (metric, f".{aggregation}" if aggregation.startswith("p") else ""):
        match = _LEVEL.search(name)
        if match and (name.endswith("percentile") or "p" in match[0]):
            return float(match[1]) / 100
    return None
