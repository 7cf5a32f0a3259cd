"""What a policy claims, as frozen values: of which release, in which world, what must happen and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from scenarios.document.load import Loaded
from scenarios.document.source import Place
from sim.model.kpis import Kpi


@dataclass(frozen=True, slots=True)
class Rates:
    """How often a decision may be wrong. Each is an upper bound, whatever the truth."""

    false_pass: float = 0.05
    """Of a claim that does not hold: P(passed). Also known as alpha."""
    false_fail: float = 0.05
    """Of a claim that holds: P(failed). Also known as beta."""
    left_open: float = 0.05
    """Of a claim that is a margin or more away from its bound: P(undecided for being too close)."""


class RatesOf(StrEnum):
    """What the error rates are rates of."""

    CLAIM = "claim"
    """Of each claim by itself."""
    POLICY = "policy"
    """Of the whole policy: each of n claims is decided with an n-th of false_pass and false_fail (Bonferroni)."""


class Relation(StrEnum):
    """How a value is compared with a bound."""

    AT_MOST = "<="
    BELOW = "<"
    AT_LEAST = ">="
    ABOVE = ">"

    def holds(self, value: float, bound: float) -> bool:
        """Whether the value stands in this relation to the bound."""
        match self:
            case Relation.AT_MOST:
                return value <= bound
            case Relation.BELOW:
                return value < bound
            case Relation.AT_LEAST:
                return value >= bound
            case Relation.ABOVE:
                return value > bound

    @property
    def caps(self) -> bool:
        """Whether less is better."""
        return self in {Relation.AT_MOST, Relation.BELOW}


@dataclass(frozen=True, slots=True)
class Aborted:
    """A gate, a deadline or a person stops the release; by ``within_s`` after the apply, if given."""

    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Promoted:
    """The release is promoted and not taken back; it serves everybody by ``within_s`` after the apply, if given."""

    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class FalselyAborted:
    """A good release is aborted, rejected or left stuck."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A bad release comes to serve everybody."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator of the replication stands in this relation to ``value``, in the indicator's own unit."""

    kpi: Kpi
    relation: Relation
    value: float


Happening = Aborted | Promoted | FalselyAborted | Missed | Indicator


@dataclass(frozen=True, slots=True)
class Often:
    """In so large a share of the replications, at least or at most."""

    share: float
    at_least: bool = True

    @property
    def kept(self) -> float:
        """Least share of replications that must keep the claim: 1 % at most is 99 % without."""
        return self.share if self.at_least else 1 - self.share


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim about one world."""

    name: str
    """Unique in its policy."""
    world: int
    """Which of the policy's worlds it is about."""
    release: str
    happening: Happening
    often: Often | None
    """None: the indicator's mean over replications is meant."""
    margin: float
    """Of a share: the indifference region reaches so far to both sides of the bound. Of a mean: in the indicator's unit."""
    rates: Rates
    most: int | None
    """Replications after which to stop looking; None: as many as are worth it."""
    traffic_rps: float | None = None
    tolerance: float = 0.0
    """Of a share: so much short of its bound a claim may pass. 0: none, and ``margin`` says how near is too near to call."""
    place: Place = field(default=Place("", 0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class World:
    """One scenario at one rate of traffic, with the releases that a claim may be about."""

    name: str
    """Of the scenario, in this policy."""
    loaded: Loaded = field(repr=False)
    arguments: tuple[str, ...]
    """Of ``rolltwin run``: the paths and all that is overridden."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy, ready to be decided."""

    title: str
    file: str
    worlds: tuple[World, ...]
    claims: tuple[Claim, ...]
    rates: Rates
    """As written: of each claim, or of all together."""
    rates_of: RatesOf
    seed: int
