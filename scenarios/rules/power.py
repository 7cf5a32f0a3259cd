"""What a gate can tell at a scenario's traffic: requests a measurement judges, chances of judging wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scenarios.rules import promql_tree
from scenarios.rules.binomial import false_fail, miss, smallest_sample
from scenarios.rules.ratios import RatioGate, ratio_gate
from scenarios.rules.selectors import datadog_selectors, promql_selectors
from scenarios.rules.timeline import Gate
from scenarios.rules.tree import seconds, text
from sim.model.behaviour import Errors, Trigger, VersionBehaviour
from sim.model.scenario import Scenario

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

    @property
    def needed(self) -> int | None:
        """Requests for both chances to be at most 5 %; None if no number does."""
        return smallest_sample(self.gate.limit, self.healthy, self.bad)


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
