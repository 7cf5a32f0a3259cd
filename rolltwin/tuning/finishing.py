"""What the choice is worth: the chosen policy and the one as written, in replications that neither was chosen by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from reports.outcome import Outcome, outcome_of
from reports.tune import sequence
from reports.tune.card import Asked, Claim, HeldOut, Row
from reports.tune.measures import Constraint, Kinds, Measure
from rolltwin.tuning.sharing import Bench
from rolltwin.tuning.trying import only
from sim.model.scenario import Scenario
from sim.study import Cell, Stratum, replication_seed, strata, stream

_FEWEST = 64
PAIRS = 32
"""Of the policy as written: enough for differences; it is the chosen policy whose claims need many."""
LONGER = 10
"""Times the replications that a flawless policy would take: with these most claims are decided whose truth is half the limit.

88 of 100 where 1 % is allowed and 0.5 % true, as computed step by step; four times would decide 43, eight times 78.
"""
_APART = 10
"""Replications between two looks, which cost little but are over all replications so far."""

Count = Callable[[int], None]
"""Told how many there are of each kind."""


def held_out_seed(seed: int) -> int:
    """Master seed of the replications that no choice is made by."""
    return replication_seed(seed, "tune/held-out", 0)


def enough(constraints: Sequence[Constraint], level: float) -> int:
    """Replications of each kind after which a policy that never breaks a cap on a share is known to keep to it."""
    shares = [item.allowed for item in constraints if item.allowed is not None]
    return max([_FEWEST, *(sequence.flawless(share, level) for share in shares)])


def held_out(  # noqa: PLR0913, PLR0917 - the question, the two policies, and how long
    asked: Asked, before: Scenario, after: Scenario, replications: int | None, bench: Bench, count: Count
) -> HeldOut:
    """Both policies in the same fresh replications, pair by pair; the chosen one in more of them, for its claims.

    Without a number there are as many as a flawless policy needs, then more of those kinds of release of which a cap on a
    share is undecided, until it is decided or there are ``LONGER`` times as many.
    """
    first = enough(asked.constraints, asked.level) if replications is None else replications
    runs = _Runs(after, before, bench, count)
    runs.run((after, before), 0, min(first, PAIRS))
    runs.run((after,), min(first, PAIRS), first)
    most = 0 if replications is not None else LONGER * first
    met = {item: item.met(runs.new, asked.level) for item in asked.constraints}
    if most:
        met |= _followed(asked, after, runs, first, most)
    return HeldOut(
        bench.seed,
        tuple((kind.name, len(outcomes)) for kind, outcomes in runs.new.items()),
        min(first, PAIRS),
        tuple(_row(measure, runs.old, runs.new, asked.level) for measure in asked.measures),
        tuple(_claim(item, met[item], runs, asked.level, followed=bool(most)) for item in asked.constraints),
        most,
    )


def _followed(asked: Asked, after: Scenario, runs: _Runs, first: int, most: int) -> dict[Constraint, bool | None]:
    """The caps on shares, each at the first look that decides it, or at the last."""
    mine = [item for item in asked.constraints if item.followed(runs.new, asked.level) is not None]
    met = {item: item.followed_to(runs.new, asked.level) for item in mine}

    def settled() -> bool:
        for item in [item for item in mine if met[item] is None]:
            met[item] = item.followed_to(runs.new, asked.level)
        return None not in met.values()

    if not settled():
        wanting = [item.measure for item in mine if met[item] is None]
        names = [kind.name for kind in runs.new if any(measure.concerns(kind) for measure in wanting)]
        runs.run((only(after, names),), first, most, settled)
    return met


class _Runs:
    """Replications of both policies by kind of release, as they come."""

    def __init__(self, after: Scenario, before: Scenario, bench: Bench, count: Count) -> None:
        self.new: dict[Stratum, list[Outcome]] = {one: [] for one in strata(after)}
        self.old: dict[Stratum, list[Outcome]] = {one: [] for one in strata(before)}
        self._bench, self._count = bench, count

    def run(
        self, policies: Sequence[Scenario], start: int, stop: int, settled: Callable[[], bool] = lambda: False
    ) -> None:
        """So many replications of the chosen policy, and of the one as written if it is among them; no more once settled."""
        cells = [Cell("tune", name, one) for name, one in zip(("after", "before"), policies, strict=False)]
        kinds = [self._known(one, into) for one, into in zip(policies, (self.new, self.old), strict=False)]
        last = len(cells) - 1, len(kinds[-1]) - 1
        found = stream(
            cells,
            self._bench.seed,
            outcome_of,
            revive=Outcome.from_json,
            engine=self._bench.engine,
            store=self._bench.store,
            start=start,
            stop=stop,
        )
        with closing(found):
            for one in found:
                kinds[one.cell][one.stratum].append(one.value)
                if (one.cell, one.stratum) == last:
                    self._count(one.index + 1)
                    if not one.index % _APART and settled():
                        break

    @staticmethod
    def _known(policy: Scenario, into: dict[Stratum, list[Outcome]]) -> list[list[Outcome]]:
        """Where the outcomes of each of its kinds belong: shares are those of all kinds."""
        named = {kind.name: outcomes for kind, outcomes in into.items()}
        return [named[kind.name] for kind in strata(policy)]


def _row(measure: Measure, before: Kinds, after: Kinds, level: float) -> Row:
    return Row(
        measure,
        measure.estimate(before, level),
        measure.estimate(after, level),
        measure.difference(after, before, level),
    )


def _claim(constraint: Constraint, met: bool | None, runs: _Runs, level: float, *, followed: bool) -> Claim:
    kept, of = constraint.kept_by(runs.new)
    return Claim(
        constraint,
        constraint.measure.estimate(runs.new, level),
        met,
        kept,
        of,
        constraint.met(runs.old, level),
        constraint.followed(runs.new, level) if followed else None,
    )
