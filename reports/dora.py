"""DORA's clusters, year by year, and which of them a value falls into.

Sources: the State of DevOps reports of 2018, 2019 and 2021, and the published cluster tables of 2022, 2023 and 2024
(Octopus Deploy's summaries; reference section C1). The thresholds move every year, so a cluster is never named
without its year. Later editions have no clusters.

Readings the tables leave open:

* "less than a day" beside "less than an hour" begins where the better range ends.
* Change failure rates of 2023 and 2024 are single numbers; each is read as "up to this", down to the next lower number
  of any cluster. In 2024 the medium cluster (10 %) fails *less* often than the high one (20 %), so no order
  of the clusters is ever assumed: a value gets every cluster whose range contains it, possibly none.
* A month is 730.5 hours. The reports of 2018 and 2019 once use 5,040 hours; the famous ratios rest on that slip.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from sim.model.kpis import Kpi

DEFAULT_YEAR = 2024

_HOUR, _DAY, _WEEK, _MONTH = 1.0, 24.0, 168.0, 730.5
_PER_DAY, _PER_HOUR = 7.0, 168.0
_PER_WEEK = 1.0
_PER_MONTH = _WEEK / _MONTH
_PER_HALF_YEAR = _PER_MONTH / 6


@dataclass(frozen=True, slots=True)
class Range:
    """``lo`` < value <= ``hi``; a ``lo`` of 0 includes 0."""

    lo: float
    hi: float

    def contains(self, value: float) -> bool:
        """Whether a value lies in the range."""
        return (self.lo < value or self.lo == value == 0) and value <= self.hi


@dataclass(frozen=True, slots=True)
class Cluster:
    """One row of a year's table: lead time in hours, deployments a week, change failure share, recovery in hours."""

    name: str
    lead_time: Range
    frequency: Range
    change_failure: Range
    recovery: Range


_WITHIN_HOUR, _HOUR_TO_DAY, _WITHIN_DAY = Range(0, _HOUR), Range(_HOUR, _DAY), Range(0, _DAY)
_DAY_TO_WEEK, _WEEK_TO_MONTH, _MONTH_TO_HALF_YEAR = Range(_DAY, _WEEK), Range(_WEEK, _MONTH), Range(_MONTH, 6 * _MONTH)
_BEYOND_HALF_YEAR = Range(6 * _MONTH, inf)
_ON_DEMAND = Range(_PER_DAY, inf)
_HOURLY_TO_DAILY, _DAILY_TO_WEEKLY = Range(_PER_DAY, _PER_HOUR), Range(_PER_WEEK, _PER_DAY)
_WEEKLY_TO_MONTHLY, _MONTHLY_TO_HALF_YEARLY = Range(_PER_MONTH, _PER_WEEK), Range(_PER_HALF_YEAR, _PER_MONTH)
_RARER = Range(0, _PER_HALF_YEAR)
_TO_15, _TO_30, _46_TO_60 = Range(0, 0.15), Range(0.15, 0.30), Range(0.45, 0.60)

TABLES: dict[int, tuple[Cluster, ...]] = {
    2018: (
        Cluster("elite", _WITHIN_HOUR, _ON_DEMAND, _TO_15, _WITHIN_HOUR),
        Cluster("high", _DAY_TO_WEEK, _HOURLY_TO_DAILY, _TO_15, _HOUR_TO_DAY),
        Cluster("medium", _WEEK_TO_MONTH, _WEEKLY_TO_MONTHLY, _TO_15, _HOUR_TO_DAY),
        Cluster("low", _MONTH_TO_HALF_YEAR, _WEEKLY_TO_MONTHLY, _46_TO_60, _WEEK_TO_MONTH),
    ),
    2019: (
        Cluster("elite", _WITHIN_DAY, _ON_DEMAND, _TO_15, _WITHIN_HOUR),
        Cluster("high", _DAY_TO_WEEK, _DAILY_TO_WEEKLY, _TO_15, _HOUR_TO_DAY),
        Cluster("medium", _WEEK_TO_MONTH, _WEEKLY_TO_MONTHLY, _TO_15, _HOUR_TO_DAY),
        Cluster("low", _MONTH_TO_HALF_YEAR, _MONTHLY_TO_HALF_YEARLY, _46_TO_60, _WEEK_TO_MONTH),
    ),
    2021: (
        Cluster("elite", _WITHIN_HOUR, _ON_DEMAND, _TO_15, _WITHIN_HOUR),
        Cluster("high", _DAY_TO_WEEK, _WEEKLY_TO_MONTHLY, _TO_30, _HOUR_TO_DAY),
        Cluster("medium", _MONTH_TO_HALF_YEAR, _MONTHLY_TO_HALF_YEARLY, _TO_30, _DAY_TO_WEEK),
        Cluster("low", _BEYOND_HALF_YEAR, _RARER, _TO_30, _BEYOND_HALF_YEAR),
    ),
    2022: (
        Cluster("high", _DAY_TO_WEEK, _ON_DEMAND, _TO_15, _WITHIN_DAY),
        Cluster("medium", _WEEK_TO_MONTH, _WEEKLY_TO_MONTHLY, _TO_30, _DAY_TO_WEEK),
        Cluster("low", _MONTH_TO_HALF_YEAR, _MONTHLY_TO_HALF_YEARLY, _46_TO_60, _WEEK_TO_MONTH),
    ),
    2023: (
        Cluster("elite", _WITHIN_DAY, _ON_DEMAND, Range(0, 0.05), _WITHIN_HOUR),
        Cluster("high", _DAY_TO_WEEK, _DAILY_TO_WEEKLY, Range(0.05, 0.10), _HOUR_TO_DAY),
        Cluster("medium", _WEEK_TO_MONTH, _WEEKLY_TO_MONTHLY, Range(0.10, 0.15), _DAY_TO_WEEK),
        Cluster("low", _WEEK_TO_MONTH, _WEEKLY_TO_MONTHLY, Range(0.15, 0.64), _MONTH_TO_HALF_YEAR),
    ),
    2024: (
        Cluster("elite", _WITHIN_DAY, _ON_DEMAND, Range(0, 0.05), _WITHIN_HOUR),
        Cluster("high", _DAY_TO_WEEK, _DAILY_TO_WEEKLY, Range(0.10, 0.20), _HOUR_TO_DAY),
        Cluster("medium", _WEEK_TO_MONTH, _WEEKLY_TO_MONTHLY, Range(0.05, 0.10), _HOUR_TO_DAY),
        Cluster("low", _MONTH_TO_HALF_YEAR, _MONTHLY_TO_HALF_YEARLY, Range(0.20, 0.40), _WEEK_TO_MONTH),
    ),
}  # fmt: skip

YEARS = tuple(TABLES)


def clusters(kpi: Kpi, value: float, year: int = DEFAULT_YEAR) -> tuple[str, ...] | None:
    """Names of the year's clusters whose range contains the value; None for an indicator that DORA has no table of.

    ``value`` is in the indicator's own unit (recovery in minutes). An empty tuple means: in a gap of the table, or worse
    than every cluster. KeyError for a year without a table.
    """
    rows = TABLES[year]
    match kpi:
        case Kpi.LEAD_TIME:
            return tuple(row.name for row in rows if row.lead_time.contains(value))
        case Kpi.DEPLOYMENT_FREQUENCY:
            return tuple(row.name for row in rows if row.frequency.contains(value))
        case Kpi.CHANGE_FAILURE_RATE | Kpi.CHANGE_FAILURE_RATE_WITH_ABORTS:
            return tuple(row.name for row in rows if row.change_failure.contains(value))
        case Kpi.RECOVERY_TIME:
            return tuple(row.name for row in rows if row.recovery.contains(value / 60))
        case _:
            return None
