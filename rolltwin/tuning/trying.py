"""Trying one setting: its replications in order, and no more of them than it takes to see that it will not do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise

from reports.outcome import Outcome, outcome_of
from reports.tune.card import Asked, Fate, Settings, Tried
from reports.tune.measures import Kinds
from rolltwin.tuning.sharing import Bench, share
from sim.model.operations import Command
from sim.model.records import Verdict
from sim.model.scenario import Scenario
from sim.study import Cell, Stratum, strata, stream

Stop = tuple[Fate, str]
"""Why no more replications are run, and in words."""
Decide = Callable[[Kinds, int], Stop | None]
"""Asked after each look, with how many replications of each kind there are."""


def only(scenario: Scenario, names: Sequence[str]) -> Scenario:
    """The scenario with these kinds of release alone; with all of them where somebody applies another one later."""
    if any(one.do is Command.APPLY for one in scenario.operations):
        return scenario
    return replace(scenario, mix=tuple(release for release in scenario.mix if release.name in names))


def replications(
    scenario: Scenario, looks: Sequence[int], decide: Decide, bench: Bench, others: Sequence[Scenario] = ()
) -> tuple[Kinds, Stop | None]:
    """Outcomes by kind of release up to the look at which it was decided to stop, or the last.

    ``others`` are settings that will be asked for next and may share paths.
    """
    kinds: dict[Stratum, list[Outcome]] = {stratum: [] for stratum in strata(scenario)}
    for start, stop in pairwise((0, *looks)) if others else [(0, looks[-1])]:
        if others:
            share((scenario, *others), start, stop, bench)
        if said := _run(scenario, (start, stop), looks, decide, bench, kinds):
            return kinds, said
    return kinds, None


def _run(  # noqa: PLR0913, PLR0917 - as replications, between two of them
    scenario: Scenario,
    between: tuple[int, int],
    looks: Sequence[int],
    decide: Decide,
    bench: Bench,
    kinds: dict[Stratum, list[Outcome]],
) -> Stop | None:
    """Adds the outcomes of more replications to those that are known; why no more are to follow."""
    known = list(kinds)
    found = stream(
        [Cell("tune", "", scenario)],
        bench.seed,
        outcome_of,
        revive=Outcome.from_json,
        engine=bench.engine,
        store=bench.store,
        start=between[0],
        stop=between[1],
    )
    with closing(found):
        for one in found:
            kinds[known[one.stratum]].append(one.value)
            done = one.index + 1
            if one.stratum == len(known) - 1 and (done in looks or done == 1):
                stop = _refusal(kinds) or (decide(kinds, done) if done in looks[:-1] else None)
                if stop is not None:
                    return stop
    return None


def _refusal(kinds: Kinds) -> Stop | None:
    """What the controller says to a manifest that it does not take: to one release as to all."""
    rejected = [one for outcomes in kinds.values() for one in outcomes if one.verdict is Verdict.REJECTED]
    return (Fate.REFUSED, rejected[0].reason) if rejected else None


def summary(  # noqa: PLR0913, PLR0917 - the parts of what it returns
    asked: Asked, index: int, origin: str, settings: Settings, kinds: Kinds, stop: Stop | None
) -> Tried:
    """What the replications of a setting showed."""
    fate, said = stop or (Fate.COMPLETE, "")
    constraints = tuple(item.measure.estimate(kinds, asked.level) for item in asked.constraints)
    return Tried(
        index,
        origin,
        settings,
        fate,
        said,
        replications=max((len(outcomes) for outcomes in kinds.values()), default=0),
        objectives=tuple(item.measure.estimate(kinds, asked.level) for item in asked.objectives),
        constraints=constraints,
        violations=tuple(
            item.violation(estimate) for item, estimate in zip(asked.constraints, constraints, strict=True)
        ),
    )


def hopeless(asked: Asked, kinds: Kinds, done: int, better: Callable[[], Sequence[tuple[int, Kinds]]]) -> Stop | None:
    """Whether the replications so far leave no doubt, at ``STOP_LEVEL``, that the setting breaks a constraint or is bettered.

    Bettered is what some complete setting is ahead of in every objective, in the same replications, pair by pair. Each look is
    a chance to err, so the level is far above that of the report.
    """
    for constraint in asked.constraints:
        if constraint.met(kinds, STOP_LEVEL) is False:
            estimate = constraint.measure.estimate(kinds, asked.level)
            value = "-" if estimate.mean is None else f"{estimate.mean:.4g}"
            return Fate.INFEASIBLE, f"{constraint.text} is broken ({value} after {done} replications)"
    for index, others in better():
        if all(behind(asked, place, kinds, others, STOP_LEVEL) for place in range(len(asked.objectives))):
            return Fate.DOMINATED, f"setting {index} is better in everything (after {done} replications)"
    return None


STOP_LEVEL = 0.99


def behind(asked: Asked, place: int, ours: Kinds, theirs: Kinds, level: float) -> bool:
    """Whether one setting is worse than another in an objective beyond doubt, in the same replications pair by pair."""
    objective = asked.objectives[place]
    found = objective.measure.difference(ours, theirs, level)
    if found.lo is None or found.hi is None:
        return False
    return min(objective.sign * found.lo, objective.sign * found.hi) > 0
