from __future__ import annotations

import json

import pytest

from reports.findings import FORMATS, render
from scenarios.findings import Finding, Severity
from scenarios.rules import RULES

ERROR = Finding(
    "RT201", Severity.ERROR, "cannot be\nevaluated: 100%", "a b/x.yaml", 3, 5, ("spec", "http", 0), "write this"
)
WARNING = Finding("RT701", Severity.WARNING, "too long", "x.yaml", 9)
PLACELESS = Finding("RT804", Severity.INFO, "only good releases")
ALL = (ERROR, WARNING, PLACELESS)


def test_text_has_a_line_a_finding_a_hint_and_a_count() -> None:
    assert render(ALL, RULES, "text").splitlines() == [
        "a b/x.yaml:3:5: error RT201 cannot be evaluated: 100%",
        "    help: write this",
        "x.yaml:9: warning RT701 too long",
        "info RT804 only good releases",
        "1 error, 1 warning, 1 info.",
    ]


def test_json_has_the_documented_shape() -> None:
    document = json.loads(render(ALL, RULES, "json"))

    assert set(document) == {"findings", "summary"}
    assert document["summary"] == {"error": 1, "warning": 1, "info": 1, "total": 3}
    assert document["findings"][0] == {
        "code": "RT201",
        "severity": "error",
        "message": "cannot be\nevaluated: 100%",
        "file": "a b/x.yaml",
        "line": 3,
        "column": 5,
        "path": "spec.http[0]",
        "suggestion": "write this",
    }
    assert (document["findings"][2]["line"], document["findings"][2]["column"]) == (None, None)


def test_github_escapes_what_its_runner_would_misread() -> None:
    lines = render((*ALL, Finding("RT001", Severity.ERROR, "x", "a,b:c.yaml", 1, 1)), RULES, "github").splitlines()

    assert lines == [
        "::error file=a b/x.yaml,line=3,col=5,title=RT201::cannot be%0Aevaluated: 100%25%0Awrite this",
        "::warning file=x.yaml,line=9,title=RT701::too long",
        "::notice title=RT804::only good releases",
        "::error file=a%2Cb%3Ac.yaml,line=1,col=1,title=RT001::x",
    ]


def test_sarif_describes_every_rule_and_places_every_result() -> None:
    log = json.loads(render(ALL, RULES, "sarif"))
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]

    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in rules] == [rule.code for rule in RULES]
    assert all(rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules)
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/x.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 5}
    assert "locations" not in run["results"][2]


@pytest.mark.parametrize("fmt", FORMATS)
def test_no_findings_is_a_valid_output(fmt: str) -> None:
    output = render((), RULES, fmt)

    assert output in {"", "0 errors, 0 warnings, 0 infos.\n"} or json.loads(output)


def test_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of text, json, github, sarif"):
        render((), RULES, "xml")
