"""Findings out: as text for people, as JSON, as GitHub annotations and as SARIF for code scanners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reports.findings import github, json, sarif, text
from scenarios.findings import Finding
from scenarios.rules.rule import Rule

FORMATS = ("text", "json", "github", "sarif")


def render(findings: Sequence[Finding], rules: Iterable[Rule], fmt: str) -> str:
    """The findings in one of ``FORMATS``, ending with a newline unless empty; ValueError for another format."""
    if fmt == "text":
        return text.render(findings)
    if fmt == "json":
        return json.render(findings)
    if fmt == "github":
        return github.render(findings)
    if fmt == "sarif":
        return sarif.render(findings, tuple(rules))
    msg = f"format must be one of {', '.join(FORMATS)} (got {fmt!r})"
    raise ValueError(msg)
