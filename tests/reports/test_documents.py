from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import reports
from reports import words
from reports.scorecard import KpiScore, TargetCheck
from reports.statistics import NOTHING, Estimate
from sim.model.data_plane import PlaneUse
from sim.model.kpis import Kpi, KpiTarget
from sim.model.records import Verdict
from sim.study import Cell
from tests.reports.builders import journal, outcome, run_result, scenario, study, traffic
from tests.reports.test_figures import EMPTY, RUN
from tests.reports.test_scoring import CAUGHT, PASSED, TARGETS, two_cells

NASTY = '<script>alert("x")</script> | & 成功率'


class Outline(HTMLParser):
    """Checks that tags nest, and collects what would be fetched from elsewhere."""

    VOID = frozenset({"meta", "br", "img", "hr", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.foreign += [v for k, v in attrs if k in {"src", "href", "xlink:href"} and v and not v.startswith("#")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_report_is_one_file_that_fetches_nothing() -> None:
    page = reports.render_score(reports.score(two_cells()), "html")
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert (outline.scripts, outline.foreign) == (0, [])
    assert "@import" not in page
    assert page.count("<svg ") == 4


def test_the_html_report_says_it_in_words_and_colours() -> None:
    page = reports.render_score(reports.score(two_cells(), command="rolltwin score x.yaml", version="1.2.3"), "html")
    assert "Every release is rejected before it starts" in page
    flat = page.replace("\N{NO-BREAK SPACE}", " ")
    assert "<b>yes</b><small>10 min (10 .. 10)</small>" in flat
    assert "<b>never</b><small>n/a</small>" in flat
    assert "<th>Deployment duration<small>< 15 min (objective)</small></th>".replace("< 15", "&lt; 15") in flat
    assert "<li>Nothing ever reaches production with canary (as written): every release is rejected.</li>" in flat
    assert "rolltwin score x.yaml" in page
    assert "1.2.3" in page


def test_an_undecided_target_says_what_would_decide_it() -> None:
    none = replace(PASSED, values=outcome(Verdict.PROMOTED, values={Kpi.CHANGE_FAILURE_RATE: 0.0}).values)
    target = KpiTarget(Kpi.CHANGE_FAILURE_RATE, "objective", 0.05)
    cell = Cell("canary", "", scenario(mix=scenario().mix[:1], targets=(target,)))
    score = reports.score(study([(cell, [[none] * 4])]))
    for fmt in ("text", "md", "html"):
        assert re.search("needs about.7[26]", reports.render_score(score, fmt)), fmt


def test_a_score_that_rejects_everything_names_no_nearest() -> None:
    cell = Cell("canary", "", scenario(targets=TARGETS))
    refused = [[outcome(Verdict.REJECTED, reason="invalid")] * 2] * 2
    text = reports.render_score(reports.score(study([(cell, refused)])), "text")
    assert "- Nothing ever reaches production with canary: every release is rejected." in text
    assert "Nearest" not in text


def test_whatever_users_write_is_escaped() -> None:
    cell = Cell(NASTY, NASTY, scenario(NASTY, targets=TARGETS))
    score = reports.score(study([(cell, [[outcome(Verdict.REJECTED, reason=NASTY)] * 2, [CAUGHT] * 2])]), command=NASTY)
    outline = Outline()
    outline.feed(reports.render_score(score, "html"))
    assert outline.scripts == 0
    table = [
        line for line in reports.render_score(score, "md").splitlines() if line.startswith("| ") and "alert" in line
    ]
    assert table
    assert all(re.search(r"[^\\]\| & ", line) is None for line in table)


def test_a_report_is_all_its_files(tmp_path: Path) -> None:
    reports.write_report(reports.score(two_cells()), tmp_path)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == [
        "figures/detection.svg",
        "figures/indicators.svg",
        "figures/targets.svg",
        "figures/verdicts.svg",
        "report.html",
        "report.md",
        "score.json",
    ]
    linked = re.findall(r"\((figures/.*?)\)", (tmp_path / "report.md").read_text())
    assert sorted(linked) == found[:4]
    assert json.loads((tmp_path / "score.json").read_text())["replications"] == 4
    # Equal scores give equal pages.
    assert (tmp_path / "report.html").read_text() == reports.render_score(reports.score(two_cells()), "html") + "\n"


def test_a_run_is_all_its_files(tmp_path: Path) -> None:
    reports.write_run(run_result(RUN), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.jsonl", "run.json", "timeline.svg"]


def test_the_text_of_a_score() -> None:
    text = reports.render_score(reports.score(two_cells()), "text")
    first, matrix, *_ = text.split("\n\n")
    assert "- Nothing ever reaches production with canary (as written): every release is rejected." in first
    assert "- Bad releases come to serve everybody with canary (corrected): 25 %." in first
    assert re.search(
        r"canary \(corrected\) +promoted 75 %, aborted 25 % +aborted 75 %, undone 25 % +10 min +> 16.5 min", matrix
    )
    assert "75 % of good releases get through; 75 % of bad releases are stopped before they serve everybody." in text
    assert re.search(r"Deployment duration +10 min \(10 \.\. 10\) +< 15 min +yes", text)
    assert re.search(r"31 %  aborted: 4 > 3", text)
    assert text == text.rstrip()


def test_the_text_of_a_run() -> None:
    text = reports.run_text(run_result(RUN))
    assert re.search(
        r"Verdict +aborted: a bad release was kept out\nReason +1 > 0\nEnded +1m30s after it was applied", text
    )
    assert re.search(r"Time to detect +1\.5 min", text)
    assert re.search(r"Failed requests +5 of 200, 5 more than the stable version alone", text)
    assert "Lead time" not in text
    # One run has no rates.
    assert " rate" not in text.split("\n\n")[2].replace("success-rate", "")


def test_a_long_reason_is_wrapped_below_itself() -> None:
    reason = "RolloutAborted: " + "Metric assessed Failed due to failed (4) > failureLimit (3) " * 4
    rows = journal(verdict=Verdict.REJECTED, ended_s=0.0, reason=reason.strip())
    lines = reports.run_text(run_result(rows)).splitlines()
    assert max(map(len, lines)) <= 110
    first = next(index for index, line in enumerate(lines) if line.startswith("Reason"))
    assert lines[first + 1].startswith(" " * lines[first].index("RolloutAborted") + "due")


def test_a_run_without_more_failures_than_usual_says_so() -> None:
    text = reports.run_text(run_result(journal(traffic(60.0, "stable", 1000, 9), base=0.01)))
    assert "9 of 1,000, no more than the stable version alone" in text
    assert re.search(r"Error budget used +0 % of", text)


@pytest.mark.parametrize(
    ("exact_s", "told"),
    [
        (0.0, "drawn in aggregate all the time"),
        (7.0, "drawn in aggregate 93 % of the time, simulated one by one for the rest"),
        (100.0, "simulated one by one all the time"),
    ],
)
def test_a_run_says_how_its_requests_were_simulated(exact_s: float, told: str) -> None:
    result = replace(run_result(RUN), plane_use=PlaneUse(exact_s, 100.0))
    assert f"Requests  {told}" in reports.run_text(result)
    assert "Requests" not in reports.run_text(run_result(RUN))


def test_the_json_of_a_run() -> None:
    data = json.loads(reports.run_json(run_result(RUN)))
    assert (data["verdict"], data["reason"], data["ended_s"], data["seed"]) == ("aborted", "1 > 0", 90.0, 7)
    assert set(data["kpis"]) == {kpi.value for kpi in Kpi}
    assert data["kpis"]["time_to_detect"] == {"value": 1.5, "unit": "min", "lower_bound": False}
    assert json.loads(reports.run_json(run_result(EMPTY)))["kpis"]["lead_time"]["value"] is None


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(ValueError, match="'pdf' is not among text, json, md, html"):
        reports.render_score(reports.score(two_cells()), "pdf")


def test_targets_in_words() -> None:
    check = TargetCheck("objective", 15.0, strict=True, met=None)
    assert words.target_text(check, Kpi.LEAD_TIME) == "< 15 h"
    assert words.target_text(TargetCheck("x", 7.0, strict=False, met=None), Kpi.DEPLOYMENT_FREQUENCY) == "≥ 7 a week"
    known = KpiScore(Kpi.LEAD_TIME, Estimate(1.0, 0.5, 2.0, 3), "h", (check,))
    assert words.met_text(check, known) == "undecided"
    assert words.met_text(check, KpiScore(Kpi.TIME_TO_DETECT, NOTHING, "min", (check,))) == "no data"


def test_the_answer_of_a_cell_that_meets_everything() -> None:
    fine = outcome(Verdict.PROMOTED, values={Kpi.DEPLOYMENT_DURATION: 10.0, Kpi.FALSE_ABORT_RATE: 0.0})
    cell = Cell("canary", "", scenario(targets=TARGETS[:1]))
    (strategy,) = reports.score(study([(cell, [[fine] * 9, [CAUGHT] * 9])])).strategies
    assert words.answer(strategy) == (
        "All good releases get through; all bad releases are stopped before they serve everybody. Meets its target."
    )
