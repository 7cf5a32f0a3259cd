"""From commit to apply: people's steps, Git polling and the wait for an open sync window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sim.decide import windows
from sim.model.gitops import Application, SyncWindow
from sim.model.records import DeliveryRecord
from sim.model.scenario import Scenario
from sim.streams import Streams

NEVER: Final = "the sync windows leave no room for a sync of this application within four years"


@dataclass(frozen=True, slots=True)
class Delivered:
    """Rows before the release is applied; ``refusal`` says why it never is."""

    rows: tuple[DeliveryRecord, ...]
    refusal: str = ""


def before_apply(scenario: Scenario, streams: Streams) -> Delivered:
    """What came before the apply at 0, at negative times.

    The commit falls uniformly in the calendar year, whatever the hour: sync windows make the wait depend on it.
    """
    delivery = scenario.delivery
    taken = [
        (step.name, streams.delay_s(f"delivery/{step.name}", step.delay))
        for step in delivery.steps
        if not step.after_rollout
    ]
    taken.append(("git poll", float(streams.generator("delivery/poll").uniform(0.0, delivery.git_poll_s))))
    application = _application(scenario)
    if application is not None:
        reached = _commit(delivery.year, streams) + timedelta(seconds=sum(length_s for _, length_s in taken))
        bound = _windows(scenario, application)
        try:
            opens = windows.next_sync(bound, application, reached, manual=not delivery.automatic)
        except ValueError as error:
            # Argo CD syncs no application of a project that it finds invalid (AppProject.ValidateProject).
            return Delivered(_backwards(taken), f"the project {application.project} is invalid: {error}")
        if opens is None:
            return Delivered(_backwards(taken), NEVER)
        taken.append(("sync window", (opens - reached).total_seconds()))
    return Delivered(_backwards(taken))


def after_rollout(scenario: Scenario, streams: Streams, ended_s: float) -> tuple[DeliveryRecord, ...]:
    """The steps that people do once the rollout has ended, one after another."""
    rows, now_s = [], ended_s
    for step in scenario.delivery.steps:
        if step.after_rollout:
            length_s = streams.delay_s(f"delivery/{step.name}", step.delay)
            now_s += length_s
            rows.append(DeliveryRecord(round(now_s, 6), step.name, round(length_s, 6)))
    return tuple(rows)


def _backwards(taken: list[tuple[str, float]]) -> tuple[DeliveryRecord, ...]:
    """Rows that end at 0 with the last piece of work."""
    now_s = -sum(length_s for _, length_s in taken)
    rows = []
    for name, length_s in taken:
        now_s += length_s
        rows.append(DeliveryRecord(round(now_s, 6) + 0.0, name, round(length_s, 6)))
    return tuple(rows)


def _commit(year: int, streams: Streams) -> datetime:
    begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    share = float(streams.generator("commit").random())
    return begin + timedelta(seconds=share * (end - begin).total_seconds())


def _application(scenario: Scenario) -> Application | None:
    name = scenario.delivery.application
    return next((one for one in scenario.manifests.applications if one.name == name), None) if name else None


def _windows(scenario: Scenario, application: Application) -> tuple[SyncWindow, ...]:
    project = next((one for one in scenario.manifests.projects if one.name == application.project), None)
    return project.windows if project is not None else ()
