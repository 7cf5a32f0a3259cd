"""Findings as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from reports.findings.summary import counts
from scenarios.findings import Finding, path_text


def render(findings: Sequence[Finding]) -> str:
    """``{"findings": [...], "summary": {"error": n, "warning": n, "info": n, "total": n}}``.

    Lines and columns count from 1 and are null where the place is not known; ``path`` is ``spec.http[0].route``.
    """
    found = counts(findings)
    document = {
        "findings": [_as_dict(finding) for finding in findings],
        "summary": {**found, "total": sum(found.values())},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _as_dict(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "file": finding.file,
        "line": finding.line or None,
        "column": finding.column or None,
        "path": path_text(finding.path),
        "suggestion": finding.suggestion,
    }
