"""What a gate found: every claim with its evidence, its answer, and one replication that shows why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from reports.gate.means import MeanState, MeanTest
from reports.gate.sprt import Answer, Sprt, State
from scenarios.document.source import Place
from scenarios.policy.claims import Claim, Policy
from sim.model.records import Verdict


@dataclass(frozen=True, slots=True)
class Condition:
    """A gate of the manifests that looked at the replication."""

    metric: str
    written: str
    """Its conditions as written; '' for none."""
    place: Place
    said: str
    """What it measured and said."""


@dataclass(frozen=True, slots=True)
class Example:
    """The first replication that breaks the claim."""

    seed: int
    command: str
    """Replays it."""
    happened: str
    """How it went, in half a sentence."""
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Result:
    """One claim."""

    claim: Claim
    scenario: str
    test: Sprt | MeanTest
    state: State | MeanState
    breaks: tuple[int, ...] = ()
    """Numbers, from 1, of the replications that break it."""
    means: tuple[tuple[int, float, float, float], ...] = ()
    """Of a mean: after how many replications, lower limit, mean, upper limit."""
    values: tuple[float, ...] = field(default=(), repr=False)
    """Of the indicator or the time, in the order of the replications, where there was one."""
    absent: int = 0
    """Replications without such a value."""
    verdicts: tuple[tuple[Verdict, int], ...] = ()
    """How those that break it ended, the most frequent first."""
    example: Example | None = None

    @property
    def answer(self) -> Answer:
        """What is known."""
        return self.state.answer

    @property
    def seen(self) -> int:
        """Replications looked at."""
        return self.state.seen if isinstance(self.state, State) else self.state.seen + self.state.absent


@dataclass(frozen=True)
class Gate:
    """A whole policy, decided."""

    policy: Policy
    results: tuple[Result, ...]
    replications: int
    """Run, or taken from a store."""
    command: str = ""
    version: str = ""

    @property
    def tally(self) -> Counter[Answer]:
        """How many claims there are of each answer."""
        return Counter(result.answer for result in self.results)

    @property
    def answer(self) -> Answer:
        """Of the whole: failed if any claim is, else undecided if any is, else passed."""
        answers = self.tally
        return next((one for one in (Answer.FAILED, Answer.OPEN, Answer.UNDECIDED) if answers[one]), Answer.PASSED)
