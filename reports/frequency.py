"""How many releases a week fit, one after another, into the hours in which Argo CD may sync."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import floor

from sim.decide.windows import open_hours
from sim.model.gitops import SyncWindow
from sim.model.scenario import Scenario

Hours = Sequence[tuple[datetime, datetime]]

_WEEK_S = 7 * 86400.0
_SHORTEST_S = 1.0
"""A release occupies the way to production for at least this long; one that is refused at once takes no time at all."""


def sync_hours(scenario: Scenario) -> Hours | None:
    """The intervals of the delivery's year in which its application may sync; None where no window binds it.

    None too if the scenario names no application, or the manifests lack it or its project.
    """
    delivery, manifests = scenario.delivery, scenario.manifests
    application = next((a for a in manifests.applications if a.name == delivery.application), None)
    if application is None:
        return None
    windows = next((p.windows for p in manifests.projects if p.name == application.project), ())
    return _hours(windows, scenario) if windows else None


def _hours(windows: tuple[SyncWindow, ...], scenario: Scenario) -> Hours:
    delivery = scenario.delivery
    application = next(a for a in scenario.manifests.applications if a.name == delivery.application)
    return open_hours(windows, application, delivery.year, not delivery.automatic)


def releases_per_week(occupancy_s: float, hours: Hours | None, year: int) -> float:
    """Releases of this length that fit one after another, a week on average over the year.

    Without windows, round the clock. A release starts when the last has ended and only if it can end within the
    same window; but the first of a window always starts, because windows bind syncs and not rollouts: what was
    synced goes on after the window closes. A 4 h window holds four releases of 55 min, and one of 6 h.
    """
    occupancy_s = max(occupancy_s, _SHORTEST_S)
    if hours is None:
        return _WEEK_S / occupancy_s
    count, free = 0, float("-inf")
    for opens, closes in hours:
        start, end = max(opens.timestamp(), free), closes.timestamp()
        if start < end:
            fits = max(1, floor((end - start) / occupancy_s + 1e-9))
            count, free = count + fits, start + fits * occupancy_s
    year_s = datetime(year + 1, 1, 1, tzinfo=UTC).timestamp() - datetime(year, 1, 1, tzinfo=UTC).timestamp()
    return count * _WEEK_S / year_s
