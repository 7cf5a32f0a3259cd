"""A scenario in which time runs faster, so that a cluster gets through it in minutes: for the twin and a cluster alike.

Divided by the factor are the times over which a strategy waits or watches: in the manifests, in their queries, and in the
scenario's own fields. Not divided is what belongs to one request (service times, time-outs, latency bounds) and what is
Kubernetes' own (scheduling, pulling images, propagation, back-off); and rates stay, so that in a compressed run an
analysis sees fewer requests. Whoever compares a compressed run with the real thing must know that, so it is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from scenarios.compression import objects, world
from scenarios.compression.pace import Pace
from scenarios.document import Loaded
from scenarios.manifests import typed

__all__ = ["Compression", "compressed", "compression"]


@dataclass(frozen=True)
class Compression:
    """A compressed scenario, and what was done to it."""

    loaded: Loaded
    factor: float
    statements: tuple[str, ...] = ()
    """One sentence each: the rule first, then every rounding, default and exception."""


def compressed(loaded: Loaded, factor: float) -> Loaded:
    """The scenario with its durations divided by the factor; the very same for 1. ValueError for a factor below 1."""
    return compression(loaded, factor).loaded


def compression(loaded: Loaded, factor: float) -> Compression:
    """The same, with the sentences that state what was divided and rounded."""
    if not factor >= 1:
        msg = f"time can be compressed by a factor of 1 or more, not by {factor:g}"
        raise ValueError(msg)
    if factor == 1:
        return Compression(loaded, factor)
    pace = Pace(factor)
    documents = replace(loaded.documents, objects=objects.divided(loaded.documents.objects, pace))
    scenario = replace(world.divided(loaded.scenario, pace), manifests=typed(documents))
    faster = replace(loaded, scenario=scenario, documents=documents)
    return Compression(faster, factor, (*_rule(factor), *pace.sentences))


def _rule(factor: float) -> tuple[str, str]:
    divided = (
        "pauses, intervals, delays and deadlines of the manifests, ranges and offsets of their queries, and the scenario's "
        "traffic stages, faults, people, scrapes, soaks and application start-up"
    )
    kept = "Request rates, service times, time-outs, latency bounds, grace periods, preStop sleeps and Kubernetes' own delays"
    return (
        f"Time runs {factor:g} times as fast: {divided} are divided by {factor:g}.",
        f"{kept} are not, so each analysis sees 1/{factor:g} of the requests it would see.",
    )
