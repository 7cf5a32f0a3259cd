"""What ``rolltwin verify`` cannot use is said in words, with exit code 2."""

from __future__ import annotations

import gzip
from dataclasses import replace
from os.path import relpath
from pathlib import Path
from typing import Any

import pytest

from harness import backend
from harness.choices import Choices
from harness.cluster.commands import CommandError
from harness.missing import Missing, MissingError
from reports.verify.recorded import Meta, digest_of, write_one
from rolltwin.cli.main import main
from scenarios import library
from scenarios.document import load
from sim.model.header import header
from sim.model.records import EndRecord, RunResult, Verdict

PLAYBOOK = library.DEFAULT.parent / "triptrip" / "scenarios" / "repaired" / "rolling-update.yaml"


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without programs and optional packages."""

    def absent(what: str, why: str) -> Missing:
        return Missing(what, why, "")

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("harness.missing.package", absent)


@pytest.mark.usefixtures("nothing_here")
@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        ([], ["docker", "kind", "kubectl", "pytest_kind", "lightkube", "locust"]),
        (["--context", "team"], ["docker", "kubectl", "lightkube", "locust"]),
    ],
)
def test_all_that_is_missing_is_said_at_once(
    options: list[str], lacking: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(PLAYBOOK), *options, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert [what for what in lacking if f"{what} is missing" not in said] == []


@pytest.mark.usefixtures("nothing_here")
@pytest.mark.parametrize(
    ("text", "said"), [(None, "No such file"), ("apq: {image: x}", "no image is named apq; there are ")]
)
def test_a_list_of_images_that_cannot_be_used(
    text: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.missing.need", lambda *_found: None)
    file = tmp_path / "images.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(MissingError, match=said):
        backend.check(Choices(tmp_path, images=file))


def test_a_program_that_fails_is_quoted_and_not_traced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_choices: Choices) -> None:
        raise CommandError(["kubectl", "config", "view"], 1, "error: cannot locate context team")

    monkeypatch.setattr("harness.backend.on_cluster", fails)
    assert main(["verify", str(PLAYBOOK), "--context", "team", "--out", str(tmp_path)]) == 2
    assert "cannot locate context team" in capsys.readouterr().err


def kept(folder: Path, *, release: str = "good", compression: float = 1.0) -> Path:
    """A run kept in the folder, of which this much was changed since."""
    scenario = load(PLAYBOOK)
    meta = Meta((relpath(PLAYBOOK, folder),), release, 1, digest_of(scenario), compression=compression)
    first = replace(header(scenario.scenario, 1, scenario.hash, "cluster", 3), release=release)
    result = RunResult(scenario.hash, 1, Verdict.STUCK, "", 1.0, (first, EndRecord(1.0, Verdict.STUCK, "", 1.0)))
    write_one(folder, meta, result)
    return folder


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"release": "gone"}, "has none that is named 'gone'"),
        ({"compression": 0.0}, "compression: must be 1 or more (got 0)"),
        ({"compression": -5.0}, "compression: must be 1 or more (got -5)"),
    ],
)
def test_a_recorded_run_that_was_never_made(
    changed: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--recorded", str(kept(tmp_path, **changed))]) == 2
    assert said in capsys.readouterr().err


def test_a_compressed_journal_with_a_flaw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = kept(tmp_path)
    whole = bytearray(gzip.compress((folder / "journal.jsonl").read_bytes()))
    whole[20:24] = b"\xff\xff\xff\xff"
    (folder / "journal.jsonl").unlink()
    (folder / "journal.jsonl.gz").write_bytes(whole)
    assert main(["verify", "--recorded", str(folder)]) == 2
    assert "no journal that can be read" in capsys.readouterr().err
