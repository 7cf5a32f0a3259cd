"""The final comparison, by an engine that makes up outcomes: how many fresh releases of which kind it takes, and who decides."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reports.outcome import Outcome
from reports.tune.card import Asked, HeldOut
from reports.tune.measures import read_constraint, read_objective
from scenarios.document import load
from sim.model.hashing import canonical_json
from sim.model.kpis import Kpi
from sim.model.records import Verdict
from sim.model.scenario import Scenario
from sim.study import Serial, strata
from sim.study.jobs import Job, TaskKey
from tests.gate.dice import CANARY

pytest.importorskip("optuna")
from rolltwin.tuning.finishing import LONGER, PAIRS, held_out
from rolltwin.tuning.sharing import Bench
from rolltwin.tuning.trying import only

FalselyAborts = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Made(Serial):
    """Good releases of the replications that it is told of are aborted; every bad one is detected after a minute."""

    falsely: FalselyAborts

    def results(self, job: Job, tasks: Iterator[TaskKey]) -> Generator[tuple[TaskKey, str]]:
        for task in tasks:
            yield task, canonical_json(self._outcome(good=job.scenario(task).release.good, index=task[2]))

    def _outcome(self, *, good: bool, index: int) -> Outcome:
        values = {Kpi.FALSE_ABORT_RATE: float(self.falsely(index))} if good else {Kpi.TIME_TO_DETECT: 1.0}
        return Outcome(Verdict.PROMOTED, "", good, tuple((kpi, values.get(kpi)) for kpi in Kpi))


CONSTRAINTS = ("time_to_detect@errors-5:p99<2m", "false_abort_rate<1%")
FIRST = 473
"""Flawless ones that decide 1 % at 95 %."""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return only(load(CANARY).scenario, ("good", "errors-5"))


def compared(
    scenario: Scenario, place: Path, falsely: FalselyAborts, replications: int | None = None, *constraints: str
) -> HeldOut:
    kinds = strata(scenario)
    asked = Asked(
        title="",
        scenario_hash="",
        objectives=(read_objective("failed_requests@good", kinds),),
        constraints=tuple(read_constraint(text, kinds) for text in constraints or CONSTRAINTS),
        space=(),
        releases=tuple(kind.name for kind in kinds),
        seed=1,
        trials=1,
        looks=(4,),
        level=0.95,
    )
    bench = Bench(7, Made(falsely), place / "store.sqlite")
    return held_out(asked, scenario, scenario, replications, bench, lambda _done: None)


def test_a_flawless_policy_takes_as_many_as_its_caps_need(scenario: Scenario, tmp_path: Path) -> None:
    found = compared(scenario, tmp_path, lambda _: False)
    assert found.replications == (("good", FIRST), ("errors-5", FIRST))
    assert [claim.met for claim in found.claims] == [True, True]
    assert (found.pairs, found.most) == (PAIRS, LONGER * FIRST)


def test_only_what_is_undecided_goes_on_and_only_until_it_is_decided(scenario: Scenario, tmp_path: Path) -> None:
    found = compared(scenario, tmp_path, lambda index: index == 5)
    counts = dict(found.replications)
    assert counts["errors-5"] == FIRST < counts["good"] < 2 * FIRST
    claim = found.claims[1]
    assert (claim.met, claim.kept, claim.of) == (True, counts["good"] - 1, counts["good"])
    assert claim.broken is not None and claim.broken.hi is not None and claim.broken.hi < 0.01  # noqa: PT018


def test_a_policy_that_breaks_its_cap_is_called_so(scenario: Scenario, tmp_path: Path) -> None:
    claim = compared(scenario, tmp_path, lambda index: index % 20 == 0).claims[1]
    assert (claim.met, claim.of) == (False, FIRST)


def test_what_is_too_close_stays_undecided_after_the_stated_maximum(scenario: Scenario, tmp_path: Path) -> None:
    found = compared(scenario, tmp_path, lambda index: index % 20 == 0, None, "false_abort_rate<5%")
    assert found.claims[0].met is None
    assert dict(found.replications)["good"] == found.most == LONGER * 93


def test_a_number_that_is_given_is_kept_to(scenario: Scenario, tmp_path: Path) -> None:
    found = compared(scenario, tmp_path, lambda index: index == 5, 40)
    assert (found.replications, found.most) == ((("good", 40), ("errors-5", 40)), 0)
    assert [claim.met for claim in found.claims] == [None, None]
    assert found.claims[0].broken is None
