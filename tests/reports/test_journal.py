from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from reports import journal
from reports.files import write_atomically
from sim.model.records import (
    AnalysisRecord,
    DecisionRecord,
    DeliveryRecord,
    FaultRecord,
    MeasurementRecord,
    PhaseRecord,
    PodRecord,
    Record,
    ScaleRecord,
    StepRecord,
    Verdict,
)
from tests.reports import builders
from tests.reports.builders import run_result, soak, traffic, weight

EVERY_KIND = builders.journal(
    DeliveryRecord(-60.0, "review", 3600.0),
    PodRecord(0.0, "tokyo", "api-1", "candidate", "node-1", "running"),
    ScaleRecord(0.0, "tokyo", "api-abc", "candidate", 3, 1, 1),
    weight(1.0, 5.0),
    StepRecord(1.0, "tokyo", 0, "setWeight 5", "started"),
    MeasurementRecord(2.0, "tokyo", "run-1", "success-rate", "Failed", "[0.98]", "assessed Failed"),
    AnalysisRecord(2.0, "tokyo", "run-1", "step", "Failed", 'metric "success-rate" assessed Failed'),
    PhaseRecord(2.0, "tokyo", "Degraded", "RolloutAborted: 成功率"),
    DecisionRecord(2.0, "tokyo", "analysis", "abort", "4 > 3"),
    FaultRecord(2.0, "tokyo", "errors", "candidate", "began"),
    traffic(5.0, "candidate", 10, 2, width_s=5.0),
    soak(3605.0, "stable", 10.5, 0.25, width_s=3600.0),
    verdict=Verdict.ABORTED,
    reason="success-rate",
)


def test_every_kind_of_row_survives() -> None:
    assert {type(record) for record in EVERY_KIND} == set(get_args(Record))
    assert journal.loads(journal.dumps(EVERY_KIND)) == EVERY_KIND


def test_a_written_run_is_read_as_it_was(tmp_path: Path) -> None:
    result = run_result(EVERY_KIND)
    journal.write(tmp_path / "new" / "journal.jsonl", result)
    assert journal.read(tmp_path / "new" / "journal.jsonl") == result
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["journal.jsonl"]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        journal.write(tmp_path / name, run_result(EVERY_KIND))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_header_comes_first_and_names_its_kind() -> None:
    first = json.loads(journal.dumps(EVERY_KIND).splitlines()[0])
    assert next(iter(first.items())) == ("record", "header")
    assert first["schema"] == 1


HEADER = journal.dumps((builders.HEADER,))
OTHER_SCHEMA = journal.dumps((replace(builders.HEADER, schema=99),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("nonsense\n", r"x:1: not JSON", id="no JSON"),
        pytest.param('{"a": 1}\n', r"x:1: not a journal row", id="no journal"),
        pytest.param('{"record": "weight", "t_s": 1}\n', "must be the header", id="no header"),
        pytest.param(OTHER_SCHEMA, "written with journal schema 99, but this version reads 1", id="other schema"),
        pytest.param(HEADER + '{"record": "weight", "t_s": 1}\n', r"x:2: .*missing", id="missing fields"),
        pytest.param(HEADER + '{"record": "phase", "colour": 1}\n', r"x:2: unknown fields colour", id="unknown fields"),
        pytest.param(HEADER + '{"record": "end", "verdict": "fine"}\n', r"x:2: 'fine' is not", id="unknown verdict"),
        pytest.param(HEADER, "cut short", id="no end"),
    ],
)
def test_what_is_no_journal_is_refused_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(text)
    with pytest.raises(journal.JournalError, match=message):
        journal.read(path)


def test_a_missing_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(journal.JournalError, match="cannot be read"):
        journal.read(tmp_path / "nothing")


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_atomically(path, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new")
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"
