"""The first screen of every score: what a reader with ten seconds must know, and one line a cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from reports import words
from reports.scorecard import Score, StrategyScore
from sim.model.kpis import Kpi
from sim.model.records import Verdict

_NOTHING, _ALL = 1e-9, 1 - 1e-9
COLUMNS = (Kpi.DEPLOYMENT_DURATION, Kpi.TIME_TO_DETECT, Kpi.CHANGE_FAILURE_RATE)
"""Indicators of the summary, targets or not."""


class Tally(NamedTuple):
    """How many targets of a cell are met, missed, undecided or without data."""

    met: int
    missed: int
    undecided: int
    no_data: int

    @property
    def total(self) -> int:
        """All its targets."""
        return sum(self)


class Line(NamedTuple):
    """One cell in one line."""

    strategy: StrategyScore
    good: str
    bad: str
    estimates: tuple[str, ...]
    """The means of ``COLUMNS``."""
    targets: str


def lines(score: Score) -> tuple[Line, ...]:
    """Every cell in one line, in the score's order."""
    return tuple(
        Line(
            strategy,
            verdicts(strategy, good=True),
            verdicts(strategy, good=False),
            tuple(words.mean_text(strategy.kpi(kpi)) for kpi in COLUMNS),
            tally_text(tally(strategy)),
        )
        for strategy in score.strategies
    )


def verdicts(strategy: StrategyScore, *, good: bool) -> str:
    """How the good or the bad releases end, commonest first: ``aborted 83 %, degraded 17 %``; ``-`` if there are none."""
    shares = [(v.of_good if good else v.of_bad, v.verdict) for v in strategy.verdicts]
    known = sorted(((share, verdict) for share, verdict in shares if share), key=lambda item: -item[0])
    return ", ".join(f"{verdict.value} {_percent(share)}" for share, verdict in known) or "-"


def tally(strategy: StrategyScore) -> Tally:
    """The cell's targets that count now."""
    said = [words.met_text(kpi.target, kpi) for kpi in strategy.kpis if kpi.target is not None]
    return Tally(
        said.count("yes"), said.count("no") + said.count("never"), said.count("undecided"), said.count("no data")
    )


def tally_text(found: Tally) -> str:
    """``5 met, 1 missed, 1 undecided``; ``none declared``."""
    parts = zip(found, ("met", "missed", "undecided", "no data"), strict=True)
    return ", ".join(f"{count} {word}" for count, word in parts if count) or "none declared"


def headlines(score: Score) -> tuple[str, ...]:
    """The few sentences above everything else."""
    found = (_best(score), _rejected(score), _passing(score), _stopped(score))
    return tuple(sentence for sentence in found if sentence)


def _best(score: Score) -> str:
    known = [(tally(strategy), strategy) for strategy in score.strategies]
    known = [(found, strategy) for found, strategy in known if found.total and strategy.share(Verdict.REJECTED) <= _ALL]
    if not known:
        return ""
    complete = [strategy for found, strategy in known if found.met == found.total]
    if complete:
        return f"Every target is met by {names(complete)}."
    best = max(found.met - found.missed for found, _ in known)
    found, strategy = next((found, strategy) for found, strategy in known if found.met - found.missed == best)
    missed = _named(strategy, frozenset({"no", "never"}))
    open_ = _named(strategy, frozenset({"undecided"}))
    parts = [f"it meets {found.met} of {found.total} targets"]
    parts += [f"misses {missed}"] if missed else []
    parts += [f"is undecided on {open_}"] if open_ else []
    return f"No strategy surely meets every target. Nearest is {strategy.label}: {words.join(parts)}."


def _named(strategy: StrategyScore, said: frozenset[str]) -> str:
    kpis = [kpi for kpi in strategy.kpis if kpi.target is not None and words.met_text(kpi.target, kpi) in said]
    return words.join([words.KPI_NAMES[kpi.kpi].lower() for kpi in kpis]) if kpis else ""


def _rejected(score: Score) -> str:
    never = [strategy for strategy in score.strategies if strategy.share(Verdict.REJECTED) > _ALL]
    return f"Nothing ever reaches production with {names(never)}: every release is rejected." if never else ""


def _passing(score: Score) -> str:
    return _worst(score, Kpi.MISS_RATE, lambda text: f"Bad releases come to serve everybody with {text}.")


def _stopped(score: Score) -> str:
    return _worst(score, Kpi.FALSE_ABORT_RATE, lambda text: f"Good releases do not get through with {text}.")


def _worst(score: Score, kpi: Kpi, sentence: Callable[[str], str]) -> str:
    """The cells with anything of it but those that reject everything, worst first."""
    shares: defaultdict[str, list[StrategyScore]] = defaultdict(list)
    known = [(strategy.kpi(kpi).estimate.mean or 0.0, strategy) for strategy in score.strategies]
    for share, strategy in sorted(known, key=lambda item: -item[0]):
        if share > _NOTHING and strategy.share(Verdict.REJECTED) <= _ALL:
            shares[_percent(share)].append(strategy)
    return sentence("; ".join(f"{names(group)}: {share}" for share, group in shares.items())) if shares else ""


def names(strategies: Iterable[StrategyScore]) -> str:
    """The cells by name, the variants of one strategy together: ``canary (repaired, corrected) and hotfix (repaired)``."""
    variants: defaultdict[str, list[str]] = defaultdict(list)
    for strategy in strategies:
        variants[strategy.name].append(strategy.variant)
    return words.join([f"{name} ({', '.join(found)})" if any(found) else name for name, found in variants.items()])


def _percent(share: float) -> str:
    """A share in whole percents, but never all or nothing unless it is."""
    percent = round(100 * share)
    if _NOTHING < share < _ALL:
        percent = min(max(percent, 1), 99)
    return f"{percent} %"
