from __future__ import annotations

from pathlib import Path

from scenarios.rules import RULES
from scenarios.rules.table import page

DOCS = Path(__file__).parents[2] / "docs" / "rules.md"


def test_docs_are_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == page(), "run: python -m scenarios.rules.table > docs/rules.md"


def test_every_rule_says_why_and_what_to_do() -> None:
    for rule in RULES:
        assert len(rule.why) > 20, rule.code
        assert rule.suggestion, rule.code
        assert f"| {rule.code} | {rule.name} | {rule.severity} |" in page()
