from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.model.hashing import canonical_json
from sim.study import (
    Cell,
    Engine,
    Processes,
    ReplicationCrashError,
    Serial,
    Study,
    StudyInterrupted,
    replication_seed,
    run_study,
    strata,
)
from sim.study.jobs import Run
from tests.reports.builders import scenario
from tests.study import fakes
from tests.study.stores import replications

CELLS = (Cell("canary", "as written", scenario("A")), Cell("canary", "corrected", scenario("B")))


def study(run: Run = fakes.quick, **options: Any) -> Study[list[object]]:
    return run_study(CELLS, options.pop("replications", 3), 5, fakes.reason, revive=list, run=run, **options)


def flat(found: Study[list[object]]) -> str:
    return canonical_json([[tuple(part.seeds), tuple(part.values)] for cell in found.cells for part in cell.strata])


def test_every_cell_and_kind_of_release_is_replicated_in_order() -> None:
    found = study()
    assert [cell.cell for cell in found.cells] == list(CELLS)
    assert [[part.stratum.name for part in cell.strata] for cell in found.cells] == [["steady", "broken"]] * 2
    for cell in found.cells:
        for part in cell.strata:
            title = cell.cell.scenario.title
            assert [value[1] for value in part.values] == [f"{title}/{part.stratum.name}/{s}" for s in part.seeds]


def test_all_cells_meet_the_same_seeds_and_kinds_of_release_meet_others() -> None:
    a, b = study().cells
    assert [tuple(part.seeds) for part in a.strata] == [tuple(part.seeds) for part in b.strata]
    assert len({seed for part in a.strata for seed in part.seeds}) == 6


def test_a_seed_depends_on_master_seed_kind_and_index_only() -> None:
    seeds = {replication_seed(s, name, i) for s in (1, 2, 11) for name in ("a", "b", "1/a") for i in (0, 1, 11)}
    assert len(seeds) == 27
    assert all(0 <= seed < 2**48 for seed in seeds)


def test_more_replications_keep_the_first_ones() -> None:
    few, many = study(replications=2), study(replications=4)
    assert many.cells[0].strata[0].values[:2] == tuple(few.cells[0].strata[0].values)
    assert few.key == many.key


def test_without_a_mix_the_scenarios_release_is_the_only_kind() -> None:
    alone = strata(scenario(mix=()))
    assert [(part.name, part.share) for part in alone] == [("steady", 1.0)]


@pytest.mark.parametrize("workers", [pytest.param(2, id="two workers"), pytest.param(3, id="three workers")])
def test_the_number_of_workers_changes_no_byte(workers: int) -> None:
    assert flat(study(engine=Processes(workers))) == flat(study())


def test_progress_counts_from_nothing_to_everything() -> None:
    seen: list[tuple[int, int]] = []
    study(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 12) for done in range(13)]


def test_other_cells_seeds_or_reductions_are_other_studies() -> None:
    def key(cells: tuple[Cell, ...] = CELLS, seed: int = 5) -> str:
        return run_study(cells, 1, seed, fakes.reason, revive=list, run=fakes.quick).key

    keys = [key(), key(CELLS[:1]), key(seed=6), study(fakes.crashing, replications=0).key]
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    "engine", [pytest.param(Serial(), id="in process"), pytest.param(Processes(2), id="in workers")]
)
def test_a_bug_stops_the_study_and_says_where(engine: Engine) -> None:
    with pytest.raises(
        ReplicationCrashError, match=r"release broken.*seed \d+.*AssertionError: the impossible happened"
    ):
        study(fakes.crashing, engine=engine)


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    with pytest.raises(StudyInterrupted) as caught:
        study(fakes.interrupted, store=tmp_path / "store")
    assert (caught.value.done, caught.value.total) == (2, 12)
    assert replications(tmp_path / "store") == 2


def test_ctrl_c_reaches_no_worker_however_young() -> None:
    study(fakes.deaf, engine=Processes(2))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_ctrl_c_with_workers_submits_no_more_and_keeps_what_is_finished(tmp_path: Path) -> None:
    when = f"{os.getpid()} {replication_seed(5, 'steady', 20)}"
    cells = [replace(cell, scenario=replace(cell.scenario, description=when)) for cell in CELLS]
    with pytest.raises(StudyInterrupted) as caught:
        run_study(
            cells,
            200,
            5,
            fakes.reason,
            revive=list,
            run=fakes.interrupts_parent,
            engine=Processes(2),
            store=tmp_path / "store",
        )
    kept = replications(tmp_path / "store")
    assert caught.value.total == 800
    # How many is up to where the parent was when it heard: what it had not taken from the workers yet is dropped.
    assert 0 < caught.value.done < 800
    assert 0 <= kept - caught.value.done <= 1
