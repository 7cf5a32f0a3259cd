"""Judges variants of a scenario that differ in their gates, sharing every path that can be shared."""

from __future__ import annotations

from collections.abc import Sequence

from sim.model.scenario import Scenario
from sim.paths.values import Judgement, Judgements


class Gates:
    """Variants of one scenario, made ready once and judged in any number of replications.

    Variants may differ in anything; those that differ only in their gates (thresholds, limits, intervals, counts, delays,
    queries) share paths, and those that differ in more (weights, pauses, traffic) get paths of their own.
    """

    def __init__(self, variants: Sequence[Scenario]) -> None:
        self.variants = tuple(variants)

    def judge(self, seed: int) -> Judgements:
        """Every variant in the replication with this seed: verdict and abort as ``run_once(variant, seed)`` gives them."""
        raise NotImplementedError

    def judgement(self, seed: int, index: int) -> Judgement:
        """One variant in words: with its reason."""
        raise NotImplementedError


def judge_many(variants: Sequence[Scenario], seed: int) -> Judgements:
    """``Gates(variants).judge(seed)``; keep the ``Gates`` where several seeds are asked for."""
    return Gates(variants).judge(seed)
