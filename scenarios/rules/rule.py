"""What a rule is, and what it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scenarios.findings import Path, Severity
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
