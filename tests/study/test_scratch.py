"""What workers read lies in folders that go away, also those of processes that were killed."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.study.engines.scratch import PREFIX, Scratch, sweep

KILLED = """
import os, signal
from sim.study.engines.scratch import Scratch
kept = Scratch()
(kept.path / "1").write_text("a job")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which temporary folders are made, here and in processes that are started."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def folders(temporary: Path) -> list[Path]:
    return list(temporary.glob(f"{PREFIX}*"))


def test_it_goes_when_closed_and_when_forgotten(temporary: Path) -> None:
    one, other = Scratch(), Scratch()
    assert set(folders(temporary)) == {one.path, other.path}
    one.close()
    one.close()
    assert folders(temporary) == [other.path]
    del other
    gc.collect()
    assert folders(temporary) == []


def test_what_a_killed_process_left_is_taken_away_and_nothing_that_is_in_use(temporary: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    (left,) = folders(temporary)
    mine = Scratch()
    assert set(folders(temporary)) == {left, mine.path}, "too young to be called abandoned"
    sweep(young_s=0.0)
    assert folders(temporary) == [mine.path]
    mine.close()


def test_the_next_one_sweeps(temporary: Path) -> None:
    left, file = temporary / f"{PREFIX}old", temporary / f"{PREFIX}file"
    left.mkdir()
    file.write_text("no folder", encoding="utf-8")
    for path in (left, file):
        os.utime(path, (0.0, 0.0))
    mine = Scratch()
    assert set(folders(temporary)) == {file, mine.path}
    mine.close()
