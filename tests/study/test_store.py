from __future__ import annotations

import json
import signal
import sqlite3
import tracemalloc
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import pytest

from sim.study import Cell, Processes, StoreError, Study, replication_seed, run_study, stream
from sim.study.jobs import Job
from sim.study.store import Store, dump
from tests.programs import started
from tests.reports.builders import scenario
from tests.study import fakes, victim
from tests.study.stores import replications

CELLS = (Cell("canary", "as written", scenario("A")), Cell("canary", "corrected", scenario("B")))
DAMAGES = [pytest.param(0, id="all"), pytest.param(4096, id="all but the first page")]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "replications.sqlite"


def study(
    store: Path, count: int = 3, cells: tuple[Cell, ...] = CELLS, seen: list[int] | None = None
) -> Study[list[object]]:
    return run_study(
        cells, count, 5, fakes.reason, revive=list, run=fakes.quick, store=store,
        progress=lambda done, _total: None if seen is None else seen.append(done),
    )  # fmt: skip


def values(found: Study[list[object]]) -> list[list[object]]:
    return [value for cell in found.cells for part in cell.strata for value in part.values]


def test_a_stored_study_is_not_run_again_and_is_one_file(store: Path) -> None:
    first, seen = study(store), list[int]()
    again = study(store, seen=seen)
    assert values(again) == values(first)
    assert seen == [12]
    assert [path.name for path in store.parent.iterdir()] == [store.name]


def test_only_missing_replications_are_run(store: Path) -> None:
    study(store, 2)
    seen: list[int] = []
    study(store, 3, seen=seen)
    assert seen == [8, 9, 10, 11, 12]


def test_what_one_study_ran_no_other_runs_again(store: Path) -> None:
    study(store)
    seen: list[int] = []
    study(store, cells=(Cell("by another name", "", CELLS[1].scenario),), seen=seen)
    assert seen == [6]
    changed = replace(CELLS[1].scenario, tail_s=1.0)
    study(store, cells=(Cell("canary", "", changed),), seen=seen)
    assert seen[1:3] == [0, 1]


def test_another_reduction_is_another_replication(store: Path) -> None:
    study(store)
    before = replications(store)
    run_study(CELLS, 1, 5, fakes.title, revive=str, run=fakes.quick, store=store)
    assert replications(store) == before + 4


def test_a_study_without_a_store_says_the_same(store: Path) -> None:
    alone: Study[list[object]] = run_study(CELLS, 3, 5, fakes.reason, revive=list, run=fakes.quick)
    assert values(alone) == values(study(store))


def test_values_of_a_large_study_are_read_when_asked_for(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small: Study[list[object]] = study(store)
    monkeypatch.setattr("sim.study.runs._REMEMBERED", 11)
    part, same = study(store).cells[1].strata[1], small.cells[1].strata[1]
    assert list(part.values) == list(same.values)
    assert (part.values[1], part.values[-1], part.values[1:]) == (same.values[1], same.values[2], same.values[1:])
    assert part.values[0] is not part.values[0]
    assert same.values[0] is same.values[0]
    store.unlink()
    with pytest.raises(StoreError, match="no such file"):
        list(part.values)


def test_memory_does_not_grow_with_the_replications(store: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            study(store.with_name(str(count)), count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # what is read and remembered once
    assert peak(500) < peak(50) + 50_000


def test_the_file_says_what_its_scenarios_are(store: Path) -> None:
    study(store)
    titles = {(row[2], row[3]) for row in dump(store) if row[0] == "scenarios"}
    assert titles == {(title, release) for title in ("A", "B") for release in ("steady", "broken")}


@pytest.mark.parametrize("start", DAMAGES)
def test_a_damaged_file_is_refused_with_advice(store: Path, start: int) -> None:
    study(store, 200)
    whole = store.read_bytes()
    store.write_bytes(whole[:start] + b"\xff" * (len(whole) - start))
    with pytest.raises(StoreError, match="damaged one; delete it"):
        study(store, 200)


@pytest.mark.parametrize("content", [b"", b"task: 1\n", b"\0" * 5000], ids=["empty", "text", "zeros"])
def test_a_file_that_is_none_is_refused_and_left_as_it_is(store: Path, content: bytes) -> None:
    store.write_bytes(content)
    with pytest.raises(StoreError, match=r"not a file of replications|another program"):
        study(store)
    assert store.read_bytes() == content


def test_a_value_that_is_none_is_refused(store: Path) -> None:
    study(store)
    with closing(sqlite3.connect(store, isolation_level=None)) as file:
        file.execute("UPDATE replications SET value = '[1, '")
    with pytest.raises(StoreError, match="holds what is not a replication"):
        values(study(store))


def test_another_programs_database_is_refused(store: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as file:
        file.execute("CREATE TABLE replications (mine)")
    with pytest.raises(StoreError, match="the file of another program"):
        study(store)


def test_a_later_layout_is_refused(store: Path) -> None:
    study(store)
    with closing(sqlite3.connect(store, isolation_level=None)) as file:
        file.execute("PRAGMA user_version = 2")
    with pytest.raises(StoreError, match="another version of rolltwin"):
        study(store)


def test_a_place_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot keep results there"):
        study(tmp_path / "file" / "inside")
    with pytest.raises(StoreError, match="not a file"):
        study(tmp_path)


def test_a_full_disk_is_said(store: Path) -> None:
    study(store, 1)
    with Store(store) as full:
        (pages,) = full._file.execute("PRAGMA page_count").fetchone()
        full._file.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="full"):
            full.append(("w", "s", 1), "x" * 100_000)


def test_two_at_once_lose_nothing(store: Path) -> None:
    job = Job(CELLS, 5, fakes.reason, fakes.quick)
    tasks = [(0, 0, index) for index in range(60)]
    with Store(store) as one, Store(store) as two:
        for number, task in enumerate(tasks):
            (one, two)[number % 2].append(job.store_key(task), "1")
            (two, one)[number % 2].append(job.store_key(task), "1")
    assert replications(store) == 60


def test_two_processes_make_and_fill_one_file(store: Path) -> None:
    with started("tests.study.victim", store) as one, started("tests.study.victim", store) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    assert list(dump(store)) == list(dump(whole(store)))


def test_a_study_killed_at_any_instant_goes_on_as_if_it_had_not_been(store: Path) -> None:
    """A worker kills it during a replication: never too late, and nobody knows where the other processes are by then."""
    dice, fatal = Random(7), victim.fatal(store)  # noqa: S311 - which replication matters to nobody
    for _ in range(4):
        fatal.write_text(str(dice.choice(missing(store))))
        assert ended(store) == -signal.SIGKILL
    assert 0 < replications(store) < victim.TASKS
    fatal.unlink()
    assert ended(store) == 0
    assert list(dump(store)) == list(dump(whole(store)))


def missing(store: Path) -> list[int]:
    """Seeds of the replications of A that are not kept."""
    rows = list(dump(store)) if store.exists() else []
    kept = {json.loads(value)[1] for table, *_, value in rows if table == "replications"}
    kinds = product(range(victim.REPLICATIONS), ("steady", "broken"))
    seeds = [(name, replication_seed(5, name, index)) for index, name in kinds]
    return [seed for name, seed in seeds if f"A/{name}/{seed}" not in kept]


def ended(store: Path) -> int:
    """The exit code of a study in processes of its own."""
    with started("tests.study.victim", store) as process:
        return process.wait()


def whole(store: Path) -> Path:
    """What a study that nothing happened to leaves."""
    victim.study(store.with_name("whole"))
    return store.with_name("whole")


def test_a_stream_reads_what_a_study_left_and_the_other_way_round(store: Path) -> None:
    study(store, 2)
    found = list(stream(CELLS, 5, fakes.reason, revive=list, store=store, stop=4, run=fakes.quick, engine=Processes(2)))
    assert [(one.index, one.cell, one.stratum) for one in found] == [
        (index, cell, stratum) for index in range(4) for cell in range(2) for stratum in range(2)
    ]
    seen: list[int] = []
    again = study(store, 4, seen=seen)
    assert seen == [16]
    for one in found:
        part = again.cells[one.cell].strata[one.stratum]
        assert (one.seed, json.dumps(one.value)) == (part.seeds[one.index], json.dumps(part.values[one.index]))
