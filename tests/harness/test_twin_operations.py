"""What people do at set times to a Rollout on a cluster: the same decisions as in the twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.makers import support
from harness.makers.operations import Operations
from harness.missing import MissingError
from sim import study
from sim.model.operations import Command, Operation
from sim.model.records import DecisionRecord, RunResult, StepRecord
from sim.model.rollout import RunRole
from sim.model.strategy import ArgoRollout, RollingUpdate
from tests.harness.rollouts import CANARY, Rehearsal, shop

PLANS = {
    "promote": (Operation(10.0, Command.PROMOTE),),
    "promote-twice": (Operation(10.0, Command.PROMOTE), Operation(14.0, Command.PROMOTE)),
    "promote-full": (Operation(10.0, Command.PROMOTE_FULL), Operation(40.0, Command.PROMOTE_FULL)),
    "abort-and-retry": (
        Operation(10.0, Command.RETRY),
        Operation(12.0, Command.ABORT),
        Operation(20.0, Command.ABORT),
        Operation(60.0, Command.RETRY),
    ),
    "pause-and-resume": (
        Operation(10.0, Command.PAUSE),
        Operation(12.0, Command.PAUSE),
        Operation(60.0, Command.RESUME),
    ),
    "undo": (Operation(10.0, Command.UNDO), Operation(30.0, Command.UNDO, revision=9)),
    "scale": (Operation(10.0, Command.SCALE, replicas=5), Operation(20.0, Command.SCALE, replicas=5)),
    "restart": (Operation(10.0, Command.RESTART),),
    "terminate": (Operation(10.0, Command.TERMINATE), Operation(40.0, Command.TERMINATE, analysis=RunRole.STEP)),
}


def told(rows: tuple[object, ...]) -> list[tuple[str, ...]]:
    """Decisions without the names of revisions and runs, and steps."""
    return [
        (row.actor, row.decision, *([row.reason.partition(": ")[0]] if row.actor == "person" else []))
        if isinstance(row, DecisionRecord)
        else (str(row.index), row.state)
        for row in rows
        if isinstance(row, DecisionRecord | StepRecord)
    ]


@pytest.mark.parametrize("name", PLANS)
def test_operations_do_what_they_do_in_the_twin(name: str, tmp_path: Path) -> None:
    loaded = shop(tmp_path, CANARY)
    loaded = replace(loaded, scenario=replace(loaded.scenario, operations=PLANS[name]))
    twin: RunResult = study.run_once(loaded.scenario, 1)
    run = Rehearsal(loaded)
    people = Operations(loaded.scenario, run.recorder, run.maker)
    run.each = lambda _: people.poll()
    run.stand().release().run(260.0)
    assert told(run.recorder.rows()) == told(twin.journal)
    assert run.maker.outcome is not None
    assert (run.maker.outcome.verdict, run.maker.outcome.reason) == (twin.verdict, twin.reason)


def test_the_run_goes_on_until_the_tail_after_the_last_of_them(tmp_path: Path) -> None:
    loaded = shop(tmp_path, CANARY, tail="20s")
    loaded = replace(loaded, scenario=replace(loaded.scenario, operations=PLANS["promote"]))
    run = Rehearsal(loaded)
    people = Operations(loaded.scenario, run.recorder, run.maker)
    run.stand().run(29.0)
    assert people.busy
    run.run(1.0)
    assert not people.busy


def test_a_second_release_is_refused(tmp_path: Path) -> None:
    loaded = shop(tmp_path, CANARY)
    operations = (Operation(10.0, Command.APPLY, release="bad"),)
    with pytest.raises(MissingError, match="a second release is missing"):
        Rehearsal(replace(loaded, scenario=replace(loaded.scenario, operations=operations)))


def test_commands_at_set_times_are_for_either_controller_but_for_a_second_release(tmp_path: Path) -> None:
    loaded = shop(tmp_path, CANARY)
    scenario = replace(loaded.scenario, operations=PLANS["promote"])
    for twin in (True, False):
        support.check(scenario, ArgoRollout("shop"), twin=twin)
    second = replace(scenario, operations=(Operation(10.0, Command.APPLY, release="bad"),))
    with pytest.raises(MissingError, match="a second release is missing"):
        support.check(second, ArgoRollout("shop"), twin=False)
    support.check(second, RollingUpdate("shop"), twin=False)
