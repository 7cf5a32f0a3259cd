from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.model.controller import NEWEST, Controller
from tests.conformance.__main__ import main
from tests.conformance.matching import mismatches
from tests.conformance.runner import outcome, vector_for, vectors_of

_FILES = sorted((Path(__file__).parent / "vectors").glob("*.json"))


def _vectors() -> list[Any]:
    return [pytest.param(v, id=v["id"]) for path in _FILES for v in vectors_of(path)[1]]


@pytest.mark.parametrize("vector", _vectors())
def test_decides_as_argo_does(vector: dict[str, Any]) -> None:
    result = outcome(vector)
    assert not result.problems, f"{vector['checks']}: {result.problems}"


def _older() -> list[Any]:
    differing = [v for path in _FILES for v in vectors_of(path)[1] if "releaseDifferences" in v]
    asked = [(release, vector_for(v, release)) for v in differing for release in Controller if release is not NEWEST]
    return [pytest.param(v, id=f"{v['id']}-{release}") for release, v in asked if v is not None]


@pytest.mark.parametrize("vector", _older())
def test_decides_as_an_older_release_does(vector: dict[str, Any]) -> None:
    result = outcome(vector)
    assert not result.problems, f"{vector['checks']}: {result.problems}"


def test_only_compared_releases_are_asked() -> None:
    vector = {"op": "worst", "input": {}, "expected": {"a": 1}, "releaseDifferences": {"v1.8.4": {"a": 2}}}
    asked = {release: vector_for(vector, release) for release in Controller}
    assert [v and v["expected"]["a"] for v in asked.values()] == [None, None, 2, 1, 1, 1]
    assert vector_for({**vector, "verifiedByExecution": False}, Controller.ARGO_1_8) is None
    assert vector_for({**vector, "releaseDifferences": {"v1.8.4": "not there"}}, Controller.ARGO_1_8) is None


def test_vectors_are_there() -> None:
    assert len(_FILES) == 9


@pytest.mark.parametrize(
    ("expected", "got", "matches"),
    [
        pytest.param({"a": 1}, {"a": 1, "b": 2}, True, id="extra-keys-do-not-matter"),
        pytest.param({"a": 1}, {"b": 2}, False, id="a-missing-key-does"),
        pytest.param({"a": None}, {}, True, id="missing-reads-as-null"),
        pytest.param({"a": 0}, {"a": False}, False, id="zero-is-not-false"),
        pytest.param({"a": 0.1 + 0.2}, {"a": 0.3}, True, id="numbers-within-tolerance"),
        pytest.param({"a": 1}, {"a": 1.001}, False, id="numbers-outside-tolerance"),
        pytest.param({"a": "NaN"}, {"a": float("nan")}, True, id="nan-by-name"),
        pytest.param({"a": "+Inf"}, {"a": float("-inf")}, False, id="infinities-differ"),
        pytest.param({"a": [1, 2]}, {"a": (1, 2)}, True, id="tuples-are-lists"),
        pytest.param({"a": [1]}, {"a": [1, 2]}, False, id="lists-match-whole"),
        pytest.param({"errorContains": ""}, {"error": "boom"}, True, id="any-error"),
        pytest.param({"errorContains": ""}, {"error": ""}, False, id="some-error-is-wanted"),
        pytest.param({"errorContains": ["bo", "om"]}, {"error": "boom"}, True, id="every-part"),
        pytest.param({"errorContains": ["bo", "x"]}, {"error": "boom"}, False, id="one-part-missing"),
    ],
)
def test_matching(expected: Any, got: Any, matches: bool) -> None:
    assert (not mismatches(expected, got)) is matches


def test_unknown_operation_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "made_up.json"
    path.write_text('{"vectors": [{"id": "x-1", "op": "nonsense", "input": {}, "expected": {}}]}', encoding="utf-8")
    assert main(["-v", str(path)]) == 1
    printed = capsys.readouterr().out
    assert "made_up: 0 passed, 1 failed" in printed
    assert "total: 0 passed, 1 failed" in printed
    assert "x-1" in printed


def test_a_crash_inside_an_operation_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "crash.json"
    path.write_text('{"vectors": [{"id": "x-1", "op": "worst", "input": {}, "expected": {}}]}', encoding="utf-8")
    assert main([str(path)]) == 1
    assert "crash: 0 passed, 1 failed" in capsys.readouterr().out


@pytest.mark.parametrize("text", [pytest.param("{", id="broken-json"), pytest.param("[]", id="no-vectors")])
def test_unreadable_file(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    assert main([str(path)]) == 2
    assert "bad.json" in capsys.readouterr().err


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
