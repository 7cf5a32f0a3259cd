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
    StoreError,
    Study,
    StudyInterrupted,
    replication_seed,
    run_study,
    strata,
)
from sim.study.jobs import Run
from sim.study.store import Store
from tests.reports.builders import scenario
from tests.study import fakes

CELLS = (Cell("canary", "as written", scenario("A")), Cell("canary", "corrected", scenario("B")))


def study(run: Run = fakes.quick, **options: Any) -> Study[list[object]]:
    return run_study(CELLS, options.pop("replications", 3), 5, fakes.reason, revive=list, run=run, **options)


def flat(found: Study[list[object]]) -> str:
    return canonical_json([[part.seeds, part.values] for cell in found.cells for part in cell.strata])


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
    assert [part.seeds for part in a.strata] == [part.seeds for part in b.strata]
    assert len({seed for part in a.strata for seed in part.seeds}) == 6


def test_a_seed_depends_on_master_seed_kind_and_index_only() -> None:
    seeds = {replication_seed(s, name, i) for s in (1, 2, 11) for name in ("a", "b", "1/a") for i in (0, 1, 11)}
    assert len(seeds) == 27
    assert all(0 <= seed < 2**48 for seed in seeds)


def test_more_replications_keep_the_first_ones() -> None:
    few, many = study(replications=2), study(replications=4)
    assert many.cells[0].strata[0].values[:2] == few.cells[0].strata[0].values
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


def test_a_stored_study_is_not_run_again(tmp_path: Path) -> None:
    first = study(store=tmp_path)
    again = study(fakes.quick, store=tmp_path)
    assert flat(again) == flat(first)
    assert len(list(tmp_path.iterdir())) == 1


def test_only_missing_replications_are_run(tmp_path: Path) -> None:
    study(store=tmp_path, replications=2)
    seen: list[int] = []
    found = study(store=tmp_path, replications=3, progress=lambda done, _total: seen.append(done))
    assert seen[0] == 8
    assert flat(found) == flat(study())


def test_a_torn_last_line_is_run_again(tmp_path: Path) -> None:
    first = study(store=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text()[:-10])
    seen: list[int] = []
    assert flat(study(store=tmp_path, progress=lambda done, _total: seen.append(done))) == flat(first)
    assert seen[0] == 11


@pytest.mark.parametrize(
    "line",
    [pytest.param("{", id="no JSON"), pytest.param("[]", id="no object"), pytest.param('{"task": [1]}', id="no task")],
)
def test_a_damaged_store_is_refused_with_file_and_advice(tmp_path: Path, line: str) -> None:
    first = study(store=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_text(f"{line}\n{path.read_text()}")
    with pytest.raises(StoreError, match=rf"delete the file.*{first.key}.jsonl"):
        study(store=tmp_path)


def test_a_store_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot keep results there"):
        study(store=tmp_path / "file" / "inside")


def test_two_runs_at_once_write_to_different_files(tmp_path: Path) -> None:
    with Store(tmp_path, "k") as one, Store(tmp_path, "k") as two:
        one.append((0, 0, 0), "a")
        two.append((0, 0, 1), "b")
        one.append((0, 0, 2), "c")
    with Store(tmp_path, "k") as reader:
        assert reader.read() == {(0, 0, 0): "a", (0, 0, 1): "b", (0, 0, 2): "c"}


def test_other_cells_seeds_or_reductions_are_other_studies() -> None:
    def key(cells: tuple[Cell, ...] = CELLS, seed: int = 5) -> str:
        return run_study(cells, 1, seed, fakes.reason, revive=list, run=fakes.quick).key

    keys = [key(), key(CELLS[:1]), key(seed=6), study(fakes.crashing, replications=0).key]
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    "engine", [pytest.param(Serial(), id="in process"), pytest.param(Processes(2), id="in workers")]
)
def test_a_bug_stops_the_study_and_says_where(engine: Engine) -> None:
    seed = replication_seed(5, "broken", 0)
    with pytest.raises(
        ReplicationCrashError, match=f"release broken.*seed {seed}.*AssertionError: the impossible happened"
    ):
        study(fakes.crashing, engine=engine)


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    with pytest.raises(StudyInterrupted) as caught:
        study(fakes.interrupted, store=tmp_path)
    assert (caught.value.done, caught.value.total) == (2, 12)
    (path,) = tmp_path.iterdir()
    assert len(path.read_text().splitlines()) == 2


def test_ctrl_c_reaches_no_worker_however_young() -> None:
    study(fakes.deaf, engine=Processes(2))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_ctrl_c_with_workers_submits_no_more_and_keeps_what_is_finished(tmp_path: Path) -> None:
    when = f"{os.getpid()} {replication_seed(5, 'steady', 20)}"
    cells = [replace(cell, scenario=replace(cell.scenario, description=when)) for cell in CELLS]
    with pytest.raises(StudyInterrupted) as caught:
        run_study(
            cells, 200, 5, fakes.reason, revive=list, run=fakes.interrupts_parent, engine=Processes(2), store=tmp_path
        )
    kept = sum(len(path.read_text().splitlines()) for path in tmp_path.iterdir())
    assert caught.value.total == 800
    assert 60 <= caught.value.done < 120
    assert 0 <= kept - caught.value.done <= 1
