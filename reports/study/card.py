"""A study's results as frozen values: everything that any of its outputs says."""

from __future__ import annotations

from dataclasses import dataclass

from reports.diff.card import Effect, Effort
from reports.scorecard import About, KpiScore, StrategyScore
from sim.model.kpis import Kpi


@dataclass(frozen=True, slots=True)
class Wish:
    """A precision asked for: half the width of the interval, in the indicator's own unit."""

    kpi: Kpi
    half_width: float


@dataclass(frozen=True, slots=True)
class Reached:
    """What became of a wish: the widest interval it is about, and whose; None where nothing has the indicator."""

    wish: Wish
    half_width: float | None
    label: str
    met: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """One scenario, with the values that were set in it: parameter by parameter, as written."""

    label: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """An indicator's difference to the baseline, replication by replication."""

    effect: Effect
    gain: float | None
    """How many times as many replications the same interval would take without common random numbers.

    Infinite where every pair differs by the same; None where neither side varies, or too little is known.
    """


@dataclass(frozen=True, slots=True)
class Row:
    """One setting's results; ``compared`` is empty for the baseline."""

    setting: Setting
    score: StrategyScore
    compared: tuple[Compared, ...]

    def kpi(self, kpi: Kpi) -> KpiScore:
        """The setting's own value of an indicator."""
        return self.score.kpi(kpi)

    def difference(self, kpi: Kpi) -> Compared | None:
        """Its difference to the baseline; None for the baseline."""
        return next((item for item in self.compared if item.effect.kpi is kpi), None)


@dataclass(frozen=True)
class StudyCard:
    """All settings, in the order given."""

    rows: tuple[Row, ...]
    baseline: int
    shown: tuple[Kpi, ...]
    """The indicators that tables and figures show; data files have all."""
    reached: tuple[Reached, ...]
    effort: Effort
    about: About
    aggregate_share: float | None = None
    """The share of the simulated time whose requests were drawn in aggregate; None where that was not to be."""

    @property
    def title(self) -> str:
        """``3 settings against setWeight=5``."""
        base = self.rows[self.baseline].setting.label
        return base if len(self.rows) == 1 else f"{len(self.rows)} settings, compared with {base}"

    def measured(self, kpi: Kpi) -> bool:
        """Whether any setting has the indicator."""
        return any(row.kpi(kpi).estimate.mean is not None for row in self.rows)
