"""One gate before one release: which requests are bad in its eyes, and how many of them come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scenarios.power.eyes import DatadogEyes, PrometheusEyes, Span, eyes_of, overlap, phases
from scenarios.power.models import GateModel, Rollout
from scenarios.power.probes import STABLE
from scenarios.power.quantiles import bucketed
from scenarios.power.readings import Quantile, Reading, Share
from scenarios.power.world import Floats, Truth, bad_share, behaviour_of, slower_share
from sim.model.behaviour import VersionBehaviour

_AGED = 5.0
"""Errors a counter has seen before a window, from which on its youth no longer matters."""
_SAME = Truth(0.0)
"""What is done to the stable version: nothing."""


@dataclass(frozen=True)
class Case:
    """A gate, what it judges, and the release before it."""

    rollout: Rollout
    gate: GateModel
    reading: Reading
    truth: Truth

    @cached_property
    def eyes(self) -> PrometheusEyes | DatadogEyes:
        """How its provider sees requests."""
        return eyes_of(self.reading, self.rollout.scenario)

    @cached_property
    def spans(self) -> tuple[tuple[Span, ...], ...]:
        """The requests behind each measurement, for each position of the provider's grid."""
        return tuple(tuple(self.eyes.span(at_s, phase) for at_s in self.gate.instants) for phase in phases())

    @property
    def shares_requests(self) -> bool:
        """Whether two measurements in a row rest on the same requests."""
        return any(overlap(one) for one in self.spans)

    @property
    def is_young(self) -> bool:
        """Whether the counter of errors may not have begun when the first window begins."""
        if not self.counts_errors_by_scrape or not isinstance(self.reading, Share):
            return False
        start_s = max(one[0][0] for one in self.spans)
        flow = self.rollout.flow
        before = float(flow.until([start_s])[0]) * (self.reading.verdicts.limit or 0.01)
        return before / flow.pods(start_s) < _AGED

    @property
    def counts_errors_by_scrape(self) -> bool:
        """Whether it reads Prometheus' counters by status, which are born with their first request."""
        return isinstance(self.reading, Share) and not self.reading.is_slowness and not self.reading.bucket_s

    @property
    def sees_both(self) -> bool:
        """Whether it cannot tell the release from the stable version."""
        return STABLE in self.reading.sides

    @cached_property
    def mine(self) -> tuple[float, ...]:
        """Shares of the release's requests: bad and good ones; for a quantile, by bucket."""
        return _shares(self.reading, behaviour_of(self.rollout.healthy, self.truth), self.truth)

    @cached_property
    def others(self) -> tuple[float, ...]:
        """The same of the stable version's."""
        return _shares(self.reading, self.rollout.scenario.stable, _SAME)

    def means(self, edges: Sequence[float] | Floats) -> list[Floats]:
        """Expected requests of each kind that it has seen up to each instant."""
        mine = self.rollout.flow.until(edges)
        others = self.rollout.flow.others_until(edges) if self.sees_both else np.zeros_like(mine)
        return [np.asarray(mine * a + others * b) for a, b in zip(self.mine, self.others, strict=True)]

    def counts(self, spans: Sequence[Span]) -> Floats:
        """Expected requests by (kind, measurement)."""
        edges = np.array([edge for span in spans for edge in span])
        return np.array([np.diff(one.reshape(-1, 2), axis=1)[:, 0] for one in self.means(edges)])

    @property
    def sizes(self) -> tuple[float, ...]:
        """Expected requests behind each measurement."""
        return tuple(np.mean([self.counts(one).sum(axis=0) for one in self.spans], axis=0).tolist())


def _shares(reading: Reading, behaviour: VersionBehaviour, truth: Truth) -> tuple[float, ...]:
    if isinstance(reading, Quantile):
        return bucketed(reading, lambda bound_s: slower_share(behaviour, truth, bound_s))
    if reading.slower_than_s is not None:
        bad = slower_share(behaviour, truth, reading.slower_than_s)
    else:
        bad = bad_share(behaviour, reading.statuses)
    return bad, 1 - bad
