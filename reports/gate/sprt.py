"""Is a claim kept in at least a share of the replications? Two sequential probability ratio tests answer in three words.

With ``q`` the share that is claimed and ``m`` the margin, one test weighs ``q + m`` against ``q`` and can only speak for
the claim; the other weighs ``q - m`` against ``q`` and can only speak against it. Each stops for good where its evidence
falls so low that it may give up. So the three answers have error rates of their own, and *undecided* is an answer:

* P(passed) is at most ``false_pass`` wherever the true share is at most ``q``,
* P(failed) is at most ``false_fail`` wherever it is at least ``q``,
* P(undecided for being too close) is at most ``left_open`` wherever it is ``m`` or more away from ``q``.

The first two hold whatever the number of replications and whenever one stops looking, so truncation cannot break them:
each ratio has mean 1 under ``q`` (less, where the share lies on the other side), hence reaches ``1 / rate`` with at most
the rate's probability (Ville's inequality). Wald (1945), *Sequential tests of statistical hypotheses*; two tests side by
side for three answers are Sobel and Wald's (1949), for simulated models Younes' (2006, *Error control for probabilistic
model checking*). Wald's own bound ``ln((1 - beta) / alpha)`` is a little lower than ``ln(1 / alpha)``, and only
approximately right.

With a tolerance ``t`` it is Wald's one test, ``q`` against ``q - t``, as tools of statistical model checking decide: P(passed)
is at most ``false_pass`` wherever the true share is at most ``q - t``, P(failed) at most ``false_fail`` wherever it is at
least ``q``. In between either answer may come, so a claim is hardly ever undecided, and takes far fewer replications.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import floor, log, log1p
from typing import NamedTuple

from scenarios.policy.claims import Rates


class Answer(StrEnum):
    """What is known of a claim."""

    OPEN = "open"
    """Not yet decided; more replications are to come."""
    PASSED = "passed"
    """Shown to hold: at least the claimed share, but for ``false_pass``."""
    FAILED = "failed"
    """Shown not to hold: less than the claimed share, but for ``false_fail``."""
    UNDECIDED = "undecided"
    """Neither, and no more replications will be run."""

    @property
    def final(self) -> bool:
        """Whether nothing can change it any more."""
        return self is not Answer.OPEN


@dataclass(frozen=True, slots=True)
class Ratio:
    """One test's log-likelihood ratio: what a replication that keeps the claim adds, and one that breaks it."""

    kept: float
    broken: float
    decides: float
    """From here on the test has spoken."""
    gives_up: float
    """Down here it falls silent for good (negative)."""

    def evidence(self, kept: int, broken: int) -> float:
        """The ratio's logarithm after so many of each; computed afresh, so that rounding does not add up."""
        return kept * self.kept + broken * self.broken


@dataclass(frozen=True, slots=True)
class Sprt:
    """The two tests of one claim, and after how many replications to stop looking."""

    share: float
    """Claimed share q of replications that keep it."""
    margin: float
    """Of no account where there is a tolerance."""
    rates: Rates
    most: int
    tolerance: float = 0.0
    """A claim may pass though its share is up to so much less than q."""

    @property
    def shown(self) -> float:
        """Share of which a claim that passes has been shown to have more."""
        return self.share - self.tolerance

    @property
    def clear(self) -> tuple[float, float]:
        """Shares at and beyond which a claim is to be decided."""
        return (self.shown, self.share) if self.tolerance else (self.share - self.margin, self.share + self.margin)

    @property
    def speaks_for(self) -> Ratio:
        """Q + m against q; with a tolerance q against q - t."""
        if self.tolerance:
            return _ratio(self.share, self.shown, self.rates.false_pass, self.rates.false_fail)
        return _ratio(self.share + self.margin, self.share, self.rates.false_pass, self.rates.left_open)

    @property
    def speaks_against(self) -> Ratio:
        """Q - m against q; with a tolerance q - t against q, which gives up where the other has spoken."""
        if self.tolerance:
            other = self.speaks_for
            return Ratio(-other.kept, -other.broken, -other.gives_up, -other.decides)
        return _ratio(self.share - self.margin, self.share, self.rates.false_fail, self.rates.left_open)

    @property
    def fewest_to_pass(self) -> int:
        """Replications without a single break that pass the claim."""
        ratio = self.speaks_for
        return _steps(ratio.decides, ratio.kept)

    @property
    def fewest_to_fail(self) -> int:
        """Broken replications in a row from the first on that fail it."""
        ratio = self.speaks_against
        return _steps(ratio.decides, ratio.broken)


def _ratio(other: float, share: float, rate: float, open_rate: float) -> Ratio:
    return Ratio(log(other / share), log1p(-other) - log1p(-share), log(1 / rate), log(open_rate))


def _steps(height: float, step: float) -> int:
    steps = max(1, int(height / step))
    while steps * step < height:
        steps += 1
    return steps


@dataclass(frozen=True, slots=True)
class State:
    """How far one claim has come."""

    kept: int = 0
    broken: int = 0
    answer: Answer = Answer.OPEN
    mute_for: bool = False
    """The test that speaks for the claim has given up."""
    mute_against: bool = False

    @property
    def seen(self) -> int:
        """Replications looked at."""
        return self.kept + self.broken

    @property
    def too_close(self) -> bool:
        """Whether both tests have given up: an undecided claim is not so for want of replications."""
        return self.mute_for and self.mute_against


class Bounds(NamedTuple):
    """Numbers of broken replications at which something happens, after a given number of replications."""

    passes_to: int
    """Up to so many pass; -1: none does."""
    gives_up_from: int
    """From so many on the test that speaks for the claim gives up."""
    gives_up_to: int
    """Up to so many the test that speaks against it gives up; -1: none does."""
    fails_from: int
    may_pass_to: int
    """Beyond so many the claim can no longer pass before the last replication."""
    may_fail_from: int
    """Below so many it can no longer fail."""


class Walk:
    """One claim on its way: feed it replications until its state's answer is final."""

    def __init__(self, test: Sprt) -> None:
        self.test = test
        self._for, self._against = test.speaks_for, test.speaks_against
        self._last = (_most(self._for, test.most), _fewest(self._against, test.most, self._against.decides))

    def bounds(self, seen: int) -> Bounds:
        """What each number of broken ones means after ``seen`` replications."""
        passes, fails = self._last
        return Bounds(
            _most(self._for, seen),
            _most(self._for, seen, self._for.gives_up, strictly=True) + 1,
            _fewest(self._against, seen, self._against.gives_up, strictly=True) - 1,
            _fewest(self._against, seen, self._against.decides),
            passes,
            fails - (self.test.most - seen),
        )

    def after(self, state: State, *, kept: bool) -> State:
        """The state after one more replication; an answer that is final stays."""
        if state.answer.final:
            return state
        broken, bounds = state.broken + (not kept), self.bounds(state.seen + 1)
        mute_for = state.mute_for or broken >= bounds.gives_up_from
        mute_against = state.mute_against or broken <= bounds.gives_up_to
        if not mute_for and broken <= bounds.passes_to:
            answer = Answer.PASSED
        elif not mute_against and broken >= bounds.fails_from:
            answer = Answer.FAILED
        elif (mute_for or broken > bounds.may_pass_to) and (mute_against or broken < bounds.may_fail_from):
            answer = Answer.UNDECIDED
        else:
            answer = Answer.OPEN
        return State(state.kept + kept, broken, answer, mute_for, mute_against)


def _most(ratio: Ratio, seen: int, height: float | None = None, *, strictly: bool = False) -> int:
    """Most broken ones of ``seen`` with which a test for a claim is still at ``height`` (None: has spoken); -1: none."""
    level = ratio.decides if height is None else height
    guess = floor((seen * ratio.kept - level) / (ratio.kept - ratio.broken))
    broken = min(max(guess + 1, -1), seen)
    while broken >= 0 and not _reached(ratio.evidence(seen - broken, broken), level, strictly=strictly):
        broken -= 1
    return broken


def _fewest(ratio: Ratio, seen: int, height: float, *, strictly: bool = False) -> int:
    """Fewest broken ones of ``seen`` with which a test against a claim is at ``height``; seen + 1: not even all."""
    guess = floor((height - seen * ratio.kept) / (ratio.broken - ratio.kept))
    broken = max(min(guess - 1, seen + 1), 0)
    while broken <= seen and not _reached(ratio.evidence(seen - broken, broken), height, strictly=strictly):
        broken += 1
    return broken


def _reached(evidence: float, level: float, *, strictly: bool) -> bool:
    return evidence > level if strictly else evidence >= level
