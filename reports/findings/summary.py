"""Counting findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from scenarios.findings import Finding, Severity


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings of each severity, worst first, zeros included."""
    found = Counter(finding.severity for finding in findings)
    return {severity.value: found[severity] for severity in Severity}


def sentence(findings: Iterable[Finding]) -> str:
    """``2 errors, 1 warning, 0 infos``."""
    return ", ".join(f"{n} {name}{'' if n == 1 else 's'}" for name, n in counts(findings).items())
