"""What a rule is, and what it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scenarios.findings import Finding, Path, Severity
from scenarios.manifests import Document
from scenarios.rules.context import Context


@dataclass(frozen=True, slots=True)
class Hit:
    """One place that breaks a rule. ``document`` None is the scenario file itself.

    ``suggestion`` replaces the rule's own where the place allows a more exact one.
    """

    document: Document | None
    path: Path
    message: str
    suggestion: str = ""


Check = Callable[[Context], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A coded rule: ``why`` says what goes wrong, ``suggestion`` how to mend it. Codes are never reused."""

    code: str
    name: str
    severity: Severity
    why: str
    suggestion: str
    check: Check | None = None
    """None for rules whose findings are made while the files are read."""


def finding(rule: Rule, hit: Hit, scenario_file: str) -> Finding:
    """What is reported of a hit."""
    suggestion = hit.suggestion or rule.suggestion
    if hit.document is None:
        return Finding(rule.code, rule.severity, hit.message, scenario_file, 0, 0, hit.path, suggestion)
    line, column = hit.document.position(hit.path)
    return Finding(rule.code, rule.severity, hit.message, hit.document.file, line, column, hit.path, suggestion)
