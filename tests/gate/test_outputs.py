"""What a gate says, in every format, and how it exits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import reports
from reports.figures import claims, style
from reports.findings import render
from reports.gate import documents, words
from reports.gate.card import Gate
from reports.gate.sprt import Answer
from rolltwin import gating
from rolltwin.cli.main import main
from scenarios.rules import RULES
from sim.study import Serial
from tests.gate.dice import certain, dice, policy, written

CLAIMS = """errors-5 is aborted within 10s in at least 50 %
{release: errors-5, aborted: true, in_at_least: 90%, margin: 5%, max_replications: 80, name: "a <b> & | c"}
errors-5 has failed_requests <= 500 in at least 50 %
good has mean failed_requests <= 2000"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """A failed, an undecided and two passed claims."""
    gate = gating.decide(policy(tmp_path_factory.mktemp("policy"), CLAIMS), Serial(), run=dice)
    answers = [result.answer for result in gate.results]
    assert answers == [Answer.FAILED, Answer.UNDECIDED, Answer.PASSED, Answer.PASSED]
    return gate


def test_text_begins_with_the_answer_and_says_why(found: Gate) -> None:
    text = reports.render_gate(found, "text")
    assert text.splitlines()[1].startswith("failed: 1 failed, 1 undecided, 2 passed of 4 claims in ")
    assert "FAILED     errors-5 is aborted within 10s in at least 50 %" in text
    assert "UNDECIDED  a <b> & | c" in text
    assert "1m30s too late" in text
    assert "replay: rolltwin run" in text
    assert "failed though it holds at most 5 %" in text


def test_json_has_every_claim_with_its_chances(found: Gate) -> None:
    data = json.loads(reports.render_gate(found, "json"))
    assert data["answer"] == "failed"
    assert [claim["answer"] for claim in data["claims"]] == ["failed", "undecided", "passed", "passed"]
    assert data["claims"][0]["line"] == 5
    low, bound, high = data["claims"][0]["chances"]
    assert (low["if_kept_in"], bound["if_kept_in"], high["if_kept_in"]) == pytest.approx((0.4, 0.5, 0.6))
    assert max(bound["passed"], bound["failed"]) <= 0.05
    assert data["claims"][0]["example"]["seed"] == found.results[0].example.seed  # type: ignore[union-attr]


def test_junit_counts_the_undecided_as_failures(found: Gate) -> None:
    root = ET.fromstring(reports.gate_junit(found).encode())  # noqa: S314 - our own text
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["skipped"]) == ("4", "2", "0")
    cases = root.findall("./testsuite/testcase")
    assert [case.attrib["name"] for case in cases] == [result.claim.name for result in found.results]
    failures = [case.find("failure") for case in cases]
    assert [None if item is None else item.attrib["type"] for item in failures] == ["failed", "undecided", None, None]


def test_sarif_points_at_the_policy_and_relates_gates(found: Gate) -> None:
    run = json.loads(render(reports.gate_findings(found), RULES, "sarif"))["runs"][0]
    assert [(item["ruleId"], item["level"]) for item in run["results"]] == [("RT820", "error"), ("RT821", "warning")]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 5, "startColumn": 5}
    assert place["artifactLocation"]["uri"].endswith("policy.yaml")


def test_github_annotates_lines_of_the_policy(found: Gate) -> None:
    lines = render(reports.gate_findings(found), RULES, "github").splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning"]
    assert "line=5,col=5,title=RT820" in lines[0]
    assert "%0Areplay: rolltwin run" in lines[0]


def test_markdown_keeps_names_in_their_cells(found: Gate) -> None:
    text = documents.markdown(found)
    assert "❌ **failed: 1 failed" in text
    assert "a <b> & \\| c" in text
    assert "<summary>❓ a &lt;b&gt; &amp; | c</summary>" in text


def test_figure_has_a_panel_for_each_claim(found: Gate) -> None:
    info = claims.info(found)
    assert [panel.answer for panel in info.panels] == [result.answer for result in found.results]
    failed = info.panels[0]
    assert isinstance(failed, claims.SharePanel)
    assert failed.path[-1] == (found.results[0].seen, len(found.results[0].breaks))
    assert style.png(claims.draw(info)).startswith(b"\x89PNG")


def test_figure_of_many_claims_shows_those_that_did_not_pass(found: Gate) -> None:
    many = replace(found, results=found.results[2:] * 20 + found.results[:1])
    info = claims.info(many)
    assert len(info.panels) == claims.MOST
    assert info.left_out == 41 - claims.MOST
    assert info.panels[-1].answer is Answer.FAILED


def test_files_are_the_same_for_the_same_gate(found: Gate, tmp_path: Path) -> None:
    for name in ("a", "b"):
        documents.write_gate(found, tmp_path / name)
    for name in ("report.md", "gate.json", "claims.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("claim", "options", "code"),
    [
        pytest.param("errors-5 is aborted in at least 70 %", (), 0, id="passed"),
        pytest.param("errors-5 is aborted in at least 98 %", (), 1, id="failed"),
        pytest.param("errors-5 is aborted in at lest 98 %", (), 2, id="unusable"),
        pytest.param(
            "{release: errors-5, aborted: true, in_at_least: 90%, max_replications: 40}", (), 3, id="undecided"
        ),
        pytest.param(
            "{release: errors-5, aborted: true, in_at_least: 90%, max_replications: 40}",
            ("--allow-undecided",),
            0,
            id="undecided and allowed",
        ),
    ],
)
def test_exit_codes(  # noqa: PLR0917 - the columns of its table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    claim: str,
    options: tuple[str, ...],
    code: int,
) -> None:
    decide = gating.decide
    monkeypatch.setattr(gating, "decide", lambda *args, **kept: decide(*args, **kept, run=dice))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    files = ("--junit", str(tmp_path / "j.xml"), "--sarif", str(tmp_path / "s.sarif"))
    file = written(tmp_path, claim)
    assert main(["gate", str(file), "--workers", "1", "--out", str(tmp_path / "o"), *files, *options]) == code
    told = capsys.readouterr()
    assert ("allowed by --allow-undecided" in told.err) == (bool(options))
    assert (tmp_path / "summary.md").exists() == (code != 2)
    assert (tmp_path / "j.xml").exists() == (tmp_path / "s.sarif").exists() == (code != 2)


@pytest.mark.parametrize("option", ["--junit", "--sarif"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    monkeypatch.setattr(gating, "decide", None)
    file = written(tmp_path, "errors-5 is aborted in at least 70 %")
    assert main(["gate", str(file), "--out", str(tmp_path / "o"), option, str(tmp_path)]) == 2
    assert f"{tmp_path}: Is a directory" in capsys.readouterr().err


def test_plan_says_what_it_will_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "good is promoted within 15m in at least 95 %\ngood has mean lead_time <= 1h")
    assert main(["gate", str(file), "--plan"]) == 0
    told = capsys.readouterr().out
    assert (
        "passes after 73 replications without a break, fails after 6 broken in a row; stops after at most 780" in told
    )
    assert "95 %              4.8 %    3.8 %    90 %       1.3 %      255" in told


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        (
            "errors-5 is aborted in at least 99 % (tolerance 4 points)",
            "so more than 95 % is shown; wrong for at most 5 % of claims that reach no more",
        ),
        (
            "good is falsely aborted in at most 1 % (tolerance 4 points)",
            "so less than 5 % is shown; wrong for at most 5 % of claims that reach that",
        ),
    ],
    ids=["at least", "at most"],
)
def test_what_passes_with_a_tolerance_is_said_to_be_shown_no_more_than_it_is(
    tmp_path: Path, claim: str, shown: str
) -> None:
    gate = gating.decide(policy(tmp_path, claim), Serial(), run=certain)
    text = " ".join(reports.render_gate(gate, "text").split())
    assert f"passed {claim} kept in all of 73 replications, {shown}" in text
    assert "passed though it does not hold by its tolerance at most 5 %" in text
    assert json.loads(reports.render_gate(gate, "json"))["claims"][0]["tolerance"] == pytest.approx(0.04)


def test_a_tolerance_leaves_no_room_to_be_too_close_in_the_figure(tmp_path: Path) -> None:
    gate = gating.decide(
        policy(tmp_path, "errors-5 is aborted in at least 92 % (tolerance 4 points)"), Serial(), run=dice
    )
    (panel,) = claims.info(gate).panels
    assert isinstance(panel, claims.SharePanel)
    assert (panel.hopeless, panel.harmless) == (panel.fails, panel.passes)
    assert style.png(claims.draw(claims.info(gate))).startswith(b"\x89PNG")


def test_verdicts_count_claims(tmp_path: Path) -> None:
    gate = gating.decide(policy(tmp_path, "errors-5 is aborted in at least 90 %"), Serial(), run=certain)
    assert words.verdict(gate) == "passed: 1 passed of 1 claim in 36 replications"
