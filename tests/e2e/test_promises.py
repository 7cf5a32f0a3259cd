"""What other programs rely on: the shape of the JSON, the same bytes from the same seed, and what signals do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rolltwin.cli import entry
from scenarios import library
from tests.e2e.conftest import Command
from tests.programs import PATIENCE_S, interrupted, started

AS_WRITTEN = str(library.DEFAULT.parent / "triptrip" / "as-written")
CORRECTED = str(library.DEFAULT.parent / "triptrip" / "corrected")
CANARY = str(library.playbook("canary", "as-written"))
PROGRAM = (sys.executable, "-m", "rolltwin.cli.main")


def test_the_playbook_as_written_is_found_out(rolltwin: Command) -> None:
    told = rolltwin("check", AS_WRITTEN)
    assert told.code == 1
    for said in (
        "AntiAffinity must have exactly one strategy listed",  # the rejected Rollout
        "error RT104",  # analyses without an end
        "type float64[int] is undefined",  # conditions that index a scalar
        "args.service-name was not resolved",  # references that resolve to nothing
        ":110:35: error RT001",  # YAML that is none
    ):
        assert said in told.out, said


def test_the_playbook_corrected_is_clean(rolltwin: Command) -> None:
    assert rolltwin("check", CORRECTED, "--strict").code == 0


def test_findings_as_json(rolltwin: Command) -> None:
    found = json.loads(rolltwin("check", AS_WRITTEN, "--format", "json").out)
    assert {"findings", "summary"} <= set(found)
    for item in found["findings"]:
        assert set(item) >= {"code", "severity", "message", "file", "line", "column", "path", "suggestion"}
        assert isinstance(item["path"], str)
    assert any(item["path"].startswith("spec.strategy.canary.") for item in found["findings"])


@pytest.mark.parametrize(
    ("form", "said"),
    [
        pytest.param("text", "as-written", id="text"),
        pytest.param("github", "::error file=", id="github"),
        pytest.param("sarif", '"version": "2.1.0"', id="sarif"),
    ],
)
def test_findings_in_other_forms(rolltwin: Command, form: str, said: str) -> None:
    told = rolltwin("check", AS_WRITTEN, "--format", form)
    assert told.code == 1
    assert said in told.out


def test_scores_as_json(rolltwin: Command) -> None:
    told = rolltwin("score", "scenario.yaml", "--replications", "1", "--workers", "1", "--format", "json")
    assert told.code == 0, told.err
    score = json.loads(told.out)
    assert {"strategies", "scenario_hash", "seed", "replications"} <= set(score)
    (strategy,) = score["strategies"]
    assert (strategy["name"], strategy["variant"]) == ("shop", "small")
    assert sum(strategy["verdicts"].values()) == pytest.approx(1)
    for kpi in strategy["kpis"].values():
        assert set(kpi) >= {"mean", "lo", "hi", "unit", "target", "met"}


def test_a_rejected_rollout_says_so_in_argo_s_words(rolltwin: Command) -> None:
    told = rolltwin("run", CANARY, "--set", "traffic.stages[0].rate=5", "--format", "json")
    run = json.loads(told.out)
    assert run["verdict"] == "rejected"
    assert "AntiAffinity must have exactly one strategy listed" in run["reason"]


def test_two_processes_write_the_same_journal(rolltwin: Command, folder: Path) -> None:
    run = ("run", "scenario.yaml", "--seed", "7", "--out")
    assert rolltwin(*run, "a").code == 0
    with started("rolltwin.cli.main", *run, "b", cwd=folder) as process:
        assert process.wait() == 0
    assert (folder / "a" / "journal.jsonl").read_bytes() == (folder / "b" / "journal.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGINT, "1"), (signal.SIGTERM, "2")], ids=["SIGINT", "SIGTERM"]
)
def test_a_study_goes_on_where_its_processes_were_interrupted(
    rolltwin: Command, folder: Path, number: signal.Signals, workers: str
) -> None:
    command = ("score", "scenario.yaml", "--replications", "6", "--workers", workers, "--format", "json", "--out")
    assert "go on with: rolltwin" in interrupted(*command, "cut", number=number, cwd=folder)
    assert not (folder / "cut" / "score.json").exists()
    resumed, whole = (json.loads(rolltwin(*command, out).out) for out in ("cut", "whole"))
    assert {**resumed, "command": ""} == {**whole, "command": ""}


def test_a_closed_pipe_is_no_matter(folder: Path) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started("rolltwin.cli.main", "check", AS_WRITTEN, cwd=folder, **pipes) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait() in {1, 2}


def test_a_closed_output_is_no_matter(folder: Path) -> None:
    shell = shutil.which("sh")
    if shell is None:
        pytest.skip("no POSIX shell")
    done = subprocess.run(
        [shell, "-c", '"$@" >&- 2>&-', "sh", *PROGRAM, "explain", "kpis"], cwd=folder, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_the_terminal_cannot_show_is_replaced(folder: Path, encoding: str) -> None:
    name = os.fsdecode(b"\xe5\xba\x97\xff.yaml")
    (folder / name).write_bytes((folder / "shop.yaml").read_bytes())
    done = subprocess.run(
        [*PROGRAM, "check", name], cwd=folder, check=False, timeout=PATIENCE_S, capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"warning RT705" in done.stdout


def test_a_file_name_that_is_no_text_is_no_matter(rolltwin: Command, folder: Path) -> None:
    name = os.fsdecode(b"\xe5\xff.yaml")
    (folder / name).write_bytes((folder / "shop.yaml").read_bytes())
    quiet = ("--set", "traffic.stages[0].rate=1", "--out", "out")
    assert rolltwin("run", name, *quiet).code == 0
    assert rolltwin("diff", name, "shop.yaml", "--replications", "1", "--workers", "1", *quiet).code == 0


def test_a_corrupt_store_is_named(rolltwin: Command, folder: Path) -> None:
    command = ("score", "scenario.yaml", "--replications", "1", "--workers", "1", "--out", "out")
    assert rolltwin(*command).code == 0
    stored = folder / "out" / "replications.sqlite"
    stored.write_text("garbage\n", encoding="utf-8")
    told = rolltwin(*command)
    assert told.code == 2
    assert f"{stored.name}: not a file of replications, or a damaged one; delete it" in told.err


def test_an_interruption_during_the_first_imports_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupting:
        """Ctrl-C as soon as anything of the program is looked for."""

        def find_spec(self, name: str, *_: object) -> None:
            if name.startswith("rolltwin.cli."):
                raise KeyboardInterrupt

    for name in [name for name in sys.modules if name.startswith("rolltwin.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert entry() == 130
