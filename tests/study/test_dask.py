"""A real scheduler and two real workers, each a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

import pytest

from sim.model.hashing import canonical_json
from sim.study import Dask, Engine, EngineError, ReplicationCrashError, Serial, run_study, stream
from sim.study.engines import on_dask
from sim.study.jobs import Job
from tests.study import fakes
from tests.study.victim import CELLS

pytest.importorskip("distributed", reason="the extra [dask] is not installed")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@contextmanager
def started(said: str, *command: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of Dask's command line once it has said this, and the rest of that line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "dask", *command], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        heard = []
        try:
            for line in process.stderr:
                heard.append(line)
                if said in line:
                    yield process, line.partition(said)[2].strip()
                    break
            else:
                pytest.fail("".join(heard))
        finally:
            process.kill()


Cluster = tuple[str, list[subprocess.Popen[str]]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        quiet = ("--host", "127.0.0.1", "--no-dashboard")
        _, address = stack.enter_context(started("Scheduler at:", "scheduler", "--port", "0", *quiet))
        alone = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
        workers = [stack.enter_context(started("Registered to:", "worker", address, *alone))[0] for _ in range(2)]
        yield address.removeprefix("tcp://"), workers


@pytest.fixture(scope="module")
def dask(cluster: Cluster) -> Iterator[Dask]:
    with Dask(cluster[0]) as engine:
        yield engine


def flat(engine: Engine, replications: int, killed: subprocess.Popen[str] | None = None) -> str:
    def progress(done: int, _total: int) -> None:
        # A quarter of all: the others are under way or waiting on both workers.
        if done >= replications and killed is not None:
            killed.kill()

    found = run_study(
        CELLS, replications, 5, fakes.reason, revive=list, run=fakes.slow, engine=engine, progress=progress
    )
    return canonical_json([[tuple(part.seeds), tuple(part.values)] for cell in found.cells for part in cell.strata])


def test_a_cluster_changes_no_byte(dask: Dask) -> None:
    assert flat(dask, 10) == flat(Serial(), 10)


def test_a_stream_is_in_order(dask: Dask) -> None:
    found = stream(CELLS, 5, fakes.reason, revive=list, engine=dask, run=fakes.quick)
    assert [one.index for one in islice(found, 40)] == [index for index in range(10) for _ in range(4)]
    found.close()


def test_a_bug_is_told_with_the_replication(dask: Dask) -> None:
    with pytest.raises(ReplicationCrashError, match=r"release broken.*AssertionError: the impossible happened"):
        run_study(CELLS, 3, 5, fakes.reason, revive=list, run=fakes.crashing, engine=dask)


def test_other_code_on_a_worker_is_refused(dask: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_dask, "fingerprint", lambda job: ("code 0123", *on_dask._fingerprint(job.functions)[1:]))
    with pytest.raises(EngineError, match=r"a worker differs from the client.*0123 here.*install the same rolltwin"):
        flat(dask, 1)


def test_what_must_be_equal_names_code_and_packages() -> None:
    code, *packages = on_dask.fingerprint(Job(CELLS, 5, fakes.reason))
    assert code.startswith("code ")
    assert [one.split()[0] for one in packages] == ["python", "numba", "numpy", "simpy"]


def test_a_worker_killed_in_the_midst_changes_no_byte(cluster: Cluster, dask: Dask) -> None:
    """The last test of this cluster, which has one worker less afterwards."""
    assert flat(dask, 60, killed=cluster[1][0]) == flat(Serial(), 60)
    assert cluster[1][0].wait(60) < 0


def test_an_address_where_nobody_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_dask, "_CONNECT_S", 1)
    with pytest.raises(EngineError, match="no Dask scheduler answers there"), Dask("127.0.0.1:9") as nobody:
        flat(nobody, 1)
