"""Findings as compilers print them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.findings.summary import sentence
from scenarios.findings import Finding


def render(findings: Sequence[Finding]) -> str:
    """One line a finding, its suggestion indented below, and a line that counts them."""
    return "\n".join((*_lines(findings), sentence(findings) + ".")) + "\n"


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        place = f"{finding.place}: " if finding.place else ""
        yield f"{place}{finding.severity} {finding.code} {_one_line(finding.message)}"
        if finding.suggestion:
            yield f"    help: {_one_line(finding.suggestion)}"


def _one_line(words: str) -> str:
    return " ".join(words.split())
