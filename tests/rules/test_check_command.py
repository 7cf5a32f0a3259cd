from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from rolltwin.cli import check
from tests.rules.specimens import written

LIBRARY = Path(__file__).parents[2] / "scenarios" / "library" / "triptrip"


def command(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    return check.run(parser.parse_args([str(argument) for argument in arguments]))


def reported(capsys: pytest.CaptureFixture[str]) -> set[tuple[str, int]]:
    return {(item["code"], item["line"]) for item in json.loads(capsys.readouterr().out)["findings"]}


def test_clean_manifests_exit_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(written(tmp_path), "--strict") == 0
    out = capsys.readouterr().out
    assert "info RT430 spec of PodDisruptionBudget 'shop' has no effect in a simulation" in out
    assert out.endswith("0 errors, 0 warnings, 1 info.\n")


def test_errors_exit_1(tmp_path: Path) -> None:
    assert command(written(tmp_path, {("Service/shop-canary", "spec", "selector", "app"): "none"})) == 1


def test_warnings_exit_0_and_with_strict_1(tmp_path: Path) -> None:
    file = written(tmp_path, {("VirtualService", "spec", "http", 0, "route", 1, "weight"): 20})

    assert command(file) == 0
    assert command(file, "--strict") == 1


def test_ignored_codes_do_not_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, {("VirtualService", "spec", "http", 0, "route", 1, "weight"): 20})

    assert command(file, "--strict", "--ignore", "rt408") == 0
    assert "RT408" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(None, "absent.yaml", id="no such file"),
        pytest.param(b"\xff\xfe\x00bad", "binary.yaml", id="not text"),
        pytest.param(b"a: [1,", "broken.yaml", id="nothing but broken YAML"),
        pytest.param(b"schema: rolltwin/v1\nno_such_key: 1\n", "scenario.yaml", id="scenario with an unknown key"),
        pytest.param(b"", "empty", id="directory without manifests is not a file"),
    ],
)
def test_unreadable_input_exits_2(tmp_path: Path, content: bytes | None, name: str) -> None:
    file = tmp_path / name
    if name == "empty":
        file = tmp_path / "void" / "x"
    elif content is not None:
        file.write_bytes(content)

    assert command(file) == 2


def test_unknown_code_to_ignore_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(written(tmp_path), "--ignore", "RT999") == 2
    assert "RT999" in capsys.readouterr().err


def test_output_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "findings.sarif"

    assert command(written(tmp_path), "--format", "sarif", "--out", out) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert capsys.readouterr().out == ""


def test_output_that_cannot_be_written_exits_2(tmp_path: Path) -> None:
    assert command(written(tmp_path), "--out", tmp_path / "all.yaml" / "findings.json") == 2


def test_playbook_as_written_is_found_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(LIBRARY / "as-written", "--format", "json") == 1
    codes = {code for code, _ in reported(capsys)}

    assert codes >= {"RT001", "RT010", "RT101", "RT102", "RT104", "RT105", "RT106", "RT201", "RT231", "RT501", "RT504"}
    assert codes >= {"RT206", "RT238", "RT303", "RT401", "RT404", "RT405", "RT509", "RT605", "RT606", "RT608"}


def test_yaml_error_is_reported_at_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    file = LIBRARY / "as-written" / "6.2-applications.yaml"
    command(file, "--format", "json")
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "== 'automated'" in text)

    assert ("RT001", line) in reported(capsys)


def test_playbook_corrected_has_no_error_and_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(LIBRARY / "corrected", "--strict") == 0, capsys.readouterr().out


def test_scenario_file_adds_traffic_and_targets(capsys: pytest.CaptureFixture[str]) -> None:
    command(LIBRARY / "scenarios" / "as-written" / "canary.yaml", "--format", "json")
    codes = {code for code, _ in reported(capsys)}

    assert codes >= {"RT304", "RT306", "RT701", "RT702"}


def test_corrected_canary_meets_its_targets(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(LIBRARY / "scenarios" / "corrected" / "canary.yaml", "--strict") == 0, capsys.readouterr().out


def test_findings_about_the_scenario_have_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = LIBRARY / "scenarios" / "corrected" / "canary.yaml"
    file = tmp_path / "short.yaml"
    file.write_text(f"schema: rolltwin/v1\nextends: {base}\nwarm_up: 10s\n", encoding="utf-8")

    assert command(file, "--strict", "--format", "json") == 1
    assert ("RT801", 3) in reported(capsys)
