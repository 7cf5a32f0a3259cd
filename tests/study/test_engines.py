from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from select import select
from typing import Any

import pytest

from sim.model.hashing import canonical_json
from sim.study import (
    Cell,
    Engine,
    Processes,
    ReplicationCrashError,
    Serial,
    StudyInterrupted,
    replication_seed,
    run_study,
    stream,
)
from sim.study.engines.chunks import Pace
from sim.study.jobs import Job, Run, StoreKey, TaskKey
from sim.study.ordered import tasks_of
from sim.study.store import Store
from tests.programs import PATIENCE_S, started
from tests.study import fakes
from tests.study.victim import CELLS


@pytest.fixture(scope="module", params=["serial", "1", "2", "4"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with Serial() if request.param == "serial" else Processes(int(request.param)) as made:
        yield made


@pytest.fixture(scope="module")
def pool() -> Iterator[Processes]:
    with Processes(2) as made:
        yield made


def described(text: str) -> list[Cell]:
    return [replace(cell, scenario=replace(cell.scenario, description=text)) for cell in CELLS]


def flat(engine: Engine, run: Run = fakes.quick, cells: Any = CELLS, replications: int = 25) -> str:
    found = run_study(cells, replications, 5, fakes.reason, revive=list, run=run, engine=engine)
    return canonical_json([[tuple(part.seeds), tuple(part.values)] for cell in found.cells for part in cell.strata])


def test_the_engine_changes_no_byte(engine: Engine) -> None:
    assert flat(engine) == flat(Serial())


def test_a_stream_is_in_order_and_equal_to_the_study(engine: Engine) -> None:
    with closing(stream(CELLS, 5, fakes.reason, revive=list, engine=engine, run=fakes.quick, start=3)) as found:
        some = list(islice(found, 80))
    assert [(one.cell, one.stratum, one.index) for one in some] == list(islice(tasks_of(CELLS, 3, None), 80))
    part = run_study(CELLS, 23, 5, fakes.reason, revive=list, run=fakes.quick).cells[1].strata[1]
    assert [one.value for one in some if one.cell == one.stratum == 1] == list(part.values[3:])


def test_two_streams_at_once_keep_apart(engine: Engine) -> None:
    streams = [stream([cell], 5, fakes.reason, revive=list, engine=engine, run=fakes.quick, stop=20) for cell in CELLS]
    pairs = list(zip(*streams, strict=True))
    alone = [list(stream([cell], 5, fakes.reason, revive=list, run=fakes.quick, stop=20)) for cell in CELLS]
    assert [list(one) for one in zip(*pairs, strict=True)] == alone


def test_a_stream_of_nothing_is_empty(engine: Engine) -> None:
    assert list(stream(CELLS, 5, fakes.reason, revive=list, engine=engine, run=fakes.quick, stop=0)) == []
    assert list(stream([], 5, fakes.reason, revive=list, engine=engine, run=fakes.quick, stop=9)) == []


def test_a_bug_is_told_with_the_replication_and_what_was_finished_before_it_is_kept(
    engine: Engine, tmp_path: Path
) -> None:
    found = stream(CELLS, 5, fakes.reason, revive=list, engine=engine, run=fakes.crashing, store=tmp_path / "store")
    with pytest.raises(ReplicationCrashError, match=r"release broken.*seed \d+.*AssertionError: the impossible"):
        list(found)
    assert flat(engine) == flat(Serial()), "the engine is as good as before"


def test_only_so_much_is_computed_ahead(engine: Engine) -> None:
    asked: list[TaskKey] = []

    def tasks() -> Iterator[TaskKey]:
        for task in tasks_of(CELLS, 0, None):
            asked.append(task)
            yield task

    with closing(engine.results(Job(CELLS, 5, fakes.reason, fakes.quick), tasks())) as results:
        next(results)
    assert len(asked) <= 4 * 3 + 3


def test_workers_live_across_studies(pool: Processes) -> None:
    def who() -> set[int]:
        found = run_study(CELLS, 20, 5, fakes.process, revive=int, run=fakes.quick, engine=pool)
        return {pid for cell in found.cells for part in cell.strata for pid in part.values}

    first, second = who(), who()
    assert os.getpid() not in first | second
    assert len(first | second) <= 2


def test_what_a_killed_worker_was_at_is_run_again(pool: Processes, tmp_path: Path) -> None:
    assert flat(pool, fakes.dying_once, described(str(tmp_path / "once"))) == flat(
        Serial(), fakes.quick, described(str(tmp_path / "once"))
    )
    assert (tmp_path / "once").exists()


def test_a_replication_that_kills_its_workers_is_told(pool: Processes) -> None:
    seed = replication_seed(5, "steady", 11)
    with pytest.raises(ReplicationCrashError, match=rf"replication 11, seed {seed}\) crashed: .*killed, 3 of them"):
        flat(pool, fakes.deadly, described(str(seed)))
    assert flat(pool) == flat(Serial())


def test_workers_killed_between_studies_are_replaced(pool: Processes) -> None:
    flat(pool)
    assert pool._pool is not None
    victims = list(pool._pool._processes.values())
    for victim in victims:
        os.kill(victim.pid or 0, signal.SIGKILL)
    assert flat(pool) == flat(Serial())


def test_ctrl_c_in_a_stream_keeps_what_is_finished(pool: Processes, tmp_path: Path) -> None:
    cells = described(f"{os.getpid()} {replication_seed(5, 'steady', 20)} {tmp_path / 'once'}")
    options: dict[str, Any] = {"revive": list, "engine": pool, "store": tmp_path / "store", "stop": 200}
    found = stream(cells, 5, fakes.reason, run=fakes.interrupts_parent, **options)
    with pytest.raises(StudyInterrupted, match=r"^\d+ replications are finished\.$"):
        list(found)
    again = stream(cells, 5, fakes.reason, run=fakes.interrupts_parent, **options)
    assert [one.index for one in islice(again, 80)] == [index for index in range(20) for _ in range(4)]
    again.close()


class Draining(Serial):
    """Begins all there is, and on Ctrl-C hands over what it has begun."""

    def results(self, job: Job, tasks: Iterator[TaskKey]) -> Generator[tuple[TaskKey, str]]:
        begun: list[TaskKey] = []
        try:
            for task in tasks:
                begun.append(task)  # noqa: PERF402 - what was begun before Ctrl-C counts
        except KeyboardInterrupt:
            yield from ((task, job.do(task)) for task in begun)
            raise


def test_ctrl_c_while_a_stream_looks_for_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, find = count(1), Store.find

    def interrupted(shelf: Store, key: StoreKey) -> str | None:
        if next(looked) == 30:
            raise KeyboardInterrupt
        return find(shelf, key)

    monkeypatch.setattr(Store, "find", interrupted)
    options: dict[str, Any] = {"revive": list, "engine": Draining(), "store": tmp_path / "store", "stop": 200}
    with pytest.raises(StudyInterrupted, match="28 replications"):
        list(stream(CELLS, 5, fakes.reason, run=fakes.quick, **options))


def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    """Killed alone, so that nobody is left to tell them."""
    with started("tests.study.victim", tmp_path / "store", "orphans", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().split()
        process.kill()
        # Ends when the last process that has the pipe has ended, which the workers are among.
        assert select([process.stdout], [], [], PATIENCE_S)[0], "workers live on"
        assert process.stdout.read() == ""


@pytest.mark.parametrize(
    ("known", "chunk"),
    [
        pytest.param([], 1, id="nothing known"),
        pytest.param([(1, 0.5)], 1, id="slow"),
        pytest.param([(1, 0.007)], 2, id="8,000 a minute"),
        pytest.param([(1, 0.004), (5, 0.02)], 5, id="settled"),
        pytest.param([(1, 2.0), (1, 0.004)], 1, id="the first one compiled"),
        pytest.param([(10, 0.0)], 64, id="no time at all"),
        pytest.param([(10, 0.1)] * 11, 5, id="longer after a second"),
        pytest.param([(10, 0.1)] * 100, 10, id="never longer than a tenth of a second"),
    ],
)
def test_a_chunk_takes_about_a_50th_of_a_second(known: list[tuple[int, float]], chunk: int) -> None:
    pace = Pace()
    for tasks, seconds in known:
        pace.learn(tasks, seconds)
    assert pace.chunk == chunk
