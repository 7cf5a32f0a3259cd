"""What the choice is worth: the chosen policy and the one as written, in replications that neither was chosen by."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from math import ceil

from reports.outcome import Outcome, outcome_of
from reports.student import z_quantile
from reports.tune.card import Asked, Claim, HeldOut, Row
from reports.tune.measures import Constraint, Kinds, Measure
from rolltwin.tuning.trying import Bench
from sim.model.scenario import Scenario
from sim.study import Cell, Stratum, replication_seed, strata, stream

_FEWEST, _MOST = 64, 1000
PAIRS = 32
"""Of the policy as written: enough for differences; it is the chosen policy whose claims need many."""


def held_out_seed(seed: int) -> int:
    """Master seed of the replications that no choice is made by."""
    return replication_seed(seed, "tune/held-out", 0)


def enough(constraints: Sequence[Constraint], level: float) -> int:
    """Replications of each kind after which a flawless policy's intervals keep to every limit on a share; at most 1,000.

    With no failures in n the upper end of Wilson's interval is z^2 / (n + z^2).
    """
    z2 = z_quantile((1 + level) / 2) ** 2
    allowed = [_allowed(item) for item in constraints]
    wanted = [ceil(z2 * (1 - share) / share) + 1 for share in allowed if 0 < share < 1]
    return min(max([_FEWEST, *wanted]), _MOST)


def _allowed(constraint: Constraint) -> float:
    """The share of replications that may fail."""
    if constraint.measure.quantile is not None:
        share = constraint.measure.quantile
        return round(1 - share if constraint.sign[0] == "<" else share, 12)
    return constraint.limit if constraint.measure.unit == "share" and constraint.sign[0] == "<" else 0.0


def held_out(asked: Asked, before: Scenario, after: Scenario, replications: int, bench: Bench) -> HeldOut:
    """Both policies in the same fresh replications, pair by pair; the chosen one in more of them, for its claims."""
    cells = [Cell("tune", "after", after), Cell("tune", "before", before)]
    paired = min(replications, PAIRS)
    old: dict[Stratum, list[Outcome]] = {one: [] for one in strata(before)}
    new: dict[Stratum, list[Outcome]] = {one: [] for one in old}
    known = list(old)
    for several, start, stop in ((cells, 0, paired), (cells[:1], paired, replications)):
        found = stream(
            several,
            bench.seed,
            outcome_of,
            revive=Outcome.from_json,
            engine=bench.engine,
            store=bench.store,
            start=start,
            stop=stop,
        )
        with closing(found):
            for one in found:
                (old if one.cell else new)[known[one.stratum]].append(one.value)
    return HeldOut(
        bench.seed,
        replications,
        paired,
        tuple(_row(measure, old, new, asked.level) for measure in asked.measures),
        tuple(_claim(item, old, new, asked.level) for item in asked.constraints),
    )


def _row(measure: Measure, before: Kinds, after: Kinds, level: float) -> Row:
    return Row(
        measure,
        measure.estimate(before, level),
        measure.estimate(after, level),
        measure.difference(after, before, level),
    )


def _claim(constraint: Constraint, before: Kinds, after: Kinds, level: float) -> Claim:
    kept, of = constraint.kept_by(after)
    return Claim(
        constraint,
        constraint.measure.estimate(after, level),
        constraint.met(after, level),
        kept,
        of,
        constraint.met(before, level),
    )
