"""Draws of a gate's measurements, a row each path: counts first, then what the query and its condition make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenarios.power import counting
from scenarios.power.cases import Case
from scenarios.power.counting import Grid
from scenarios.power.eyes import PrometheusEyes, Span
from scenarios.power.limits import Codes
from scenarios.power.quantiles import quantile_numbers
from scenarios.power.readings import Quantile, Share
from scenarios.power.world import Floats
from sim.metrics.promql.dialects import DIALECTS, dialect_of
from sim.streams import Streams


def codes_of(case: Case, paths: int) -> Codes:
    """Phases by (path, measurement), as ``limits`` codes them; the same draws for every release."""
    gate, reading, eyes = case.gate, case.reading, case.eyes
    generator = Streams(case.rollout.scenario.seed).fresh(f"power/{gate.where}/{gate.metric.name}")
    if case.counts_errors_by_scrape and isinstance(reading, Share) and isinstance(eyes, PrometheusEyes):
        return _Scraped(case, reading, counting.grid(eyes, gate.instants, paths), generator).codes()
    each = max(1, paths // len(case.spans))
    return np.concatenate([_plain(case, spans, each, generator) for spans in case.spans])


def _plain(case: Case, spans: Sequence[Span], paths: int, generator: np.random.Generator) -> Codes:
    """For counters that exist from the start: whatever lies between two edges of windows is drawn once."""
    edges = np.unique(np.array([edge for span in spans for edge in span]))
    low, high = (np.searchsorted(edges, [span[side] for span in spans]) for side in (0, 1))
    counts = []
    for means in case.means(edges):
        steps = generator.poisson(np.maximum(np.diff(means), 0.0), size=(paths, len(edges) - 1))
        running = np.concatenate([np.zeros((paths, 1)), np.cumsum(steps, axis=1)], axis=1)
        counts.append(running[:, high] - running[:, low])
    total = np.sum(counts, axis=0)
    if isinstance(case.reading, Quantile):
        numbers, absent = quantile_numbers(case.reading, counts), np.zeros(total.shape, dtype=bool)
    else:
        with np.errstate(invalid="ignore"):
            numbers = counts[0] / total
        absent = (total == 0) & (case.reading.bucket_s > 0)
    return counting.coded(case.reading.verdicts, numbers, absent)


@dataclass(frozen=True)
class _Scraped:
    """For the counters of statuses, pod by pod, born with their first request unless they are preset."""

    case: Case
    reading: Share
    scraped: Grid
    generator: np.random.Generator

    def codes(self) -> Codes:
        """Phases by (path, measurement)."""
        telemetry = self.case.rollout.scenario.telemetry.prometheus
        late = not self.reading.statuses & set(telemetry.preset_statuses)
        clamps = DIALECTS[dialect_of(telemetry.version)].clamps_first
        bad = counting.counter(self._bad(), self.generator, born_late=late)
        good = counting.counter(self._good(), self.generator, born_late=True)
        columns = []
        for at_s in self.case.gate.instants:
            errors, bad_there = counting.increases(self.scraped, bad, at_s, clamps_first=clamps)
            fine, good_there = counting.increases(self.scraped, good, at_s, clamps_first=clamps)
            with np.errstate(invalid="ignore"):
                numbers = errors / (errors + fine)
            absent = ~bad_there if self.reading.needs_bad else ~(bad_there | good_there)
            columns.append(counting.coded(self.reading.verdicts, numbers, absent))
        return np.stack(columns, axis=1)

    def _bad(self) -> list[Floats]:
        return [*self._of_pods(self.case.mine[0]), *self._of_stable(self.case.others[0])]

    def _good(self) -> list[Floats]:
        mine = np.asarray(self.case.rollout.flow.until(self.scraped.times) * self.case.mine[1])
        return [mine, *self._of_stable(self.case.others[1])]

    def _of_stable(self, share: float) -> list[Floats]:
        if not self.case.sees_both:
            return []
        return [np.asarray(self.case.rollout.flow.others_until(self.scraped.times) * share)]

    def _of_pods(self, share: float) -> list[Floats]:
        """Expected counts of each pod up to each scrape: requests are spread evenly over the pods of the moment."""
        flow, times = self.case.rollout.flow, self.scraped.times
        steps = np.diff(flow.until(times), axis=1, prepend=0.0) * share
        pods = np.array([flow.pods(at_s) for at_s in times[len(times) // 2].tolist()])
        return [np.cumsum(np.where(pods > pod, steps / pods, 0.0), axis=1) for pod in range(int(pods.max()))]
