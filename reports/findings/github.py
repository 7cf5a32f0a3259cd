"""Findings as GitHub Actions workflow commands, which annotate the changed lines of a pull request.

Escapes are those of the runner's own toolkit: ``%``, CR and LF in the message, ``:`` and ``,`` in properties too.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.findings import Finding, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(findings: Sequence[Finding]) -> str:
    """One ``::error file=...::message`` line a finding."""
    return "".join(f"{_line(finding)}\n" for finding in findings)


def _line(finding: Finding) -> str:
    properties = {
        "file": finding.file,
        "line": str(finding.line) if finding.line else "",
        "col": str(finding.column) if finding.column else "",
        "title": finding.code,
    }
    written = ",".join(f"{key}={escape_property(value)}" for key, value in properties.items() if value)
    help_text = f"\n{finding.suggestion}" if finding.suggestion else ""
    return f"::{_COMMANDS[finding.severity]} {written}::{escape(finding.message + help_text)}"


def escape(text: str) -> str:
    """Text that may stand in the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Text that may stand in a property of a workflow command."""
    return escape(text).replace(":", "%3A").replace(",", "%2C")
