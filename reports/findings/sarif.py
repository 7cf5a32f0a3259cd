"""Findings as SARIF 2.1.0 (OASIS), the format code scanners exchange."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from scenarios.findings import Finding, Related, Severity, path_text
from scenarios.rules.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(findings: Sequence[Finding], rules: Sequence[Rule]) -> str:
    """One run with every rule described and every finding as a result."""
    index = {rule.code: number for number, rule in enumerate(rules)}
    driver = {"name": "rolltwin", "rules": [_rule(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index.get(finding.code)) for finding in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.name.replace("-", " ")},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.suggestion},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, index: int | None) -> dict[str, Any]:
    help_text = f"\n{finding.suggestion}" if finding.suggestion else ""
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message + help_text},
    }
    if index is not None:
        result["ruleIndex"] = index
    if finding.file:
        result["locations"] = [_location(finding)]
    if finding.related:
        result["relatedLocations"] = [_related(place) for place in finding.related]
    return result


def _related(place: Related) -> dict[str, Any]:
    return {**_physical(place), "message": {"text": place.message}}


def _physical(found: Finding | Related) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(found.file)}}
    if found.line:
        place["region"] = {"startLine": found.line, "startColumn": max(found.column, 1)}
    return {"physicalLocation": place}


def _location(finding: Finding) -> dict[str, Any]:
    location = _physical(finding)
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": path_text(finding.path)}]
    return location


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
