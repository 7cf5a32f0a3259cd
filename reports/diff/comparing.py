"""From a study of two cells to what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.diff.card import Diff, Effort, Mark
from reports.diff.decisions import Strata, pairs_of, refusal, relocations, timings, transitions
from reports.diff.effects import cut, effects, target_effects
from reports.outcome import Outcome
from reports.scorecard import About
from reports.scoring import score_cell
from scenarios.changes import Comparison
from sim.study import CellResults, Study

ERRS = 0.05
"""How often an interval may miss the truth, over all looks at it together."""


def diff(study: Study[Outcome], policies: Comparison, looks: Sequence[int], about: About, replay: str) -> Diff:
    """What changed from the study's first cell to its second.

    ``looks`` are the numbers of replications after which it may have been stopped: each interval errs so much less
    often that all looks together err in at most 5 of 100 cases (Bonferroni). ValueError if the two cells have no kind
    of release in common.
    """
    level = 1 - ERRS / len(looks)
    old, new, left_out = _common(*study.cells)
    scores = score_cell(old, level), score_cell(new, level)
    strata: Strata = tuple(zip(old.strata, new.strata, strict=True))
    pairs = pairs_of(strata)
    return Diff(
        policies=policies,
        effort=Effort(study.replications, tuple(looks), study.seed, level),
        refused=(refusal([pair.old for pair in pairs]), refusal([pair.new for pair in pairs])),
        transitions=transitions(pairs),
        relocations=relocations(pairs),
        timings=timings(strata, level),
        effects=effects(old, new, scores, level),
        targets=target_effects(*scores),
        left_out=left_out,
        about=about,
        replay=replay,
    )


def settled(found: Diff) -> bool:
    """Whether more replications need not be run: the policies are the same, or nothing is undecided."""
    return found.policies.same or not found.marked(Mark.UNDECIDED)


def _common(
    old: CellResults[Outcome], new: CellResults[Outcome]
) -> tuple[CellResults[Outcome], CellResults[Outcome], tuple[str, ...]]:
    """Both cells with the kinds of release that both have, weighted as in the old one, and the names of the others."""
    names = [[part.stratum.name for part in cell.strata] for cell in (old, new)]
    both = [name for name in names[0] if name in names[1]]
    if not both:
        msg = "the two worlds have no kind of release in common"
        raise ValueError(msg)
    left_out = tuple(name for side in names for name in side if name not in both)
    before, after = cut(old, both), cut(new, both)
    same = tuple(replace(b, stratum=a.stratum) for a, b in zip(before.strata, after.strata, strict=True))
    return before, replace(after, strata=same), left_out
