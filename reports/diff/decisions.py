"""What became of the same releases under both policies: verdicts, gates, steps and times, pair by pair."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from reports.diff.card import Relocation, Timing, Transition
from reports.outcome import Outcome
from reports.reasons import METRIC, causes
from reports.statistics import Sample, mean
from sim.model.records import Verdict
from sim.study import StratumResults

_PAUSE = re.compile(r"pause [^)]*")
"""How long the step would have taken does not make it another step."""
_TIMED = (Verdict.PROMOTED, Verdict.ABORTED)

Strata = tuple[tuple[StratumResults[Outcome], StratumResults[Outcome]], ...]
"""One kind of release after the other, old and new."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The same release under both policies, on the same random numbers."""

    release: str
    good: bool
    seed: int
    old: Outcome
    new: Outcome


def pairs_of(strata: Strata) -> tuple[Pair, ...]:
    """All pairs, kind by kind."""
    return tuple(
        Pair(old.stratum.name, old.stratum.good, seed, before, after)
        for old, new in strata
        for seed, before, after in zip(old.seeds, old.values, new.values, strict=True)
    )


def transitions(pairs: Sequence[Pair]) -> tuple[Transition, ...]:
    """How many pairs went from which verdict to which, by kind of release; unchanged ones included."""
    groups: defaultdict[tuple[str, Verdict, Verdict], list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.release, pair.old.verdict, pair.new.verdict].append(pair)
    return tuple(
        Transition(
            release, found[0].good, old, new, len(found), _of(pairs, release), found[0].seed,
            found[0].old.reason, found[0].new.reason,
        )
        for (release, old, new), found in groups.items()
    )  # fmt: skip


def relocations(pairs: Sequence[Pair]) -> tuple[Relocation, ...]:
    """Pairs that ended alike but elsewhere, commonest first."""
    groups: defaultdict[tuple[str, Verdict, str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.old.verdict is pair.new.verdict and _cause(pair.old) != _cause(pair.new):
            groups[pair.release, pair.old.verdict, *_told_apart(pair)].append(pair)
    found = [
        Relocation(release, verdict, old, new, len(group), _of(pairs, release), group[0].seed)
        for (release, verdict, old, new), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda item: -item.count))


def timings(strata: Strata, level: float) -> tuple[Timing, ...]:
    """How much sooner or later releases are promoted or aborted, over the pairs that are so under both policies.

    Only where any pair differs.
    """
    return tuple(
        timing for old, new in strata for verdict in _TIMED if (timing := _timing(old, new, verdict, level)) is not None
    )


def _timing(
    old: StratumResults[Outcome], new: StratumResults[Outcome], verdict: Verdict, level: float
) -> Timing | None:
    both = [
        (a.ended_s / 60, b.ended_s / 60)
        for a, b in zip(old.values, new.values, strict=True)
        if a.verdict is b.verdict is verdict
    ]
    if not both or all(before == after for before, after in both):
        return None
    estimate = mean([Sample(1.0, tuple(after - before for before, after in both))], level)
    count = len(both)
    return Timing(old.stratum.name, verdict, sum(a for a, _ in both) / count, sum(b for _, b in both) / count, estimate)


def refusal(outcomes: Sequence[Outcome]) -> str:
    """Why every release is rejected; '' if one is not, or there is none."""
    if not outcomes or any(outcome.verdict is not Verdict.REJECTED for outcome in outcomes):
        return ""
    return outcomes[0].reason or "rejected"


def _of(pairs: Sequence[Pair], release: str) -> int:
    return sum(pair.release == release for pair in pairs)


def _cause(outcome: Outcome) -> tuple[tuple[str, ...], str]:
    """What tells two ends apart: the gates (or the reason without revisions and figures), and the step."""
    if outcome.verdict is Verdict.PROMOTED:
        return (), ""
    return causes(outcome.reason), _PAUSE.sub("pause", outcome.step)


def _told_apart(pair: Pair) -> tuple[str, str]:
    old, new = _words(pair.old, short=True), _words(pair.new, short=True)
    return (old, new) if old != new else (_words(pair.old, short=False), _words(pair.new, short=False))


def _words(outcome: Outcome, *, short: bool) -> str:
    """``gate success-rate (Failed) in step 2 (pause 3m)``."""
    metrics = METRIC.findall(outcome.reason) if short else []
    what = ", ".join(f"gate {name} ({phase})" for name, phase in metrics) or outcome.reason or "no reason"
    return f"{what} in {outcome.step}" if outcome.step else what
