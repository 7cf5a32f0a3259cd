"""A user's own CustomResourceDefinitions to field tables, so that their cluster's versions decide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scenarios.findings import BadInput, Finding, Severity
from scenarios.manifests.compact import table
from scenarios.manifests.source import files_below, read_text
from scenarios.manifests.tables import Node, Tables, read_table
from scenarios.manifests.yaml import parse


def tables_from_crds(directory: Path) -> tuple[Tables, list[Finding]]:
    """Tables of every CRD below a directory; what is no CRD is reported, not fatal, BadInput if there is none at all."""
    raw, findings = read_crds(directory)
    if not raw:
        raise BadInput([*findings, *_no_crd(directory, findings)])
    roots: dict[tuple[str, str], Node] = {}
    for one in raw:
        roots |= read_table(one)
    return Tables(roots), findings


def _no_crd(directory: Path, findings: list[Finding]) -> Iterator[Finding]:
    """One finding that refuses the directory, unless it could not even be read."""
    if not any(finding.code == "RT005" for finding in findings):
        message = f"no CustomResourceDefinition in {directory}"
        yield Finding(
            "RT005", Severity.ERROR, message, str(directory), suggestion="kubectl get crd -o yaml > DIR/crds.yaml"
        )


def read_crds(directory: Path) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Compact tables of every CRD in files of ``kubectl get crd -o yaml`` or in flat JSON dumps, and what went wrong."""
    files, findings = files_below([directory])
    tables: list[dict[str, Any]] = []
    for file in files:
        text, problem = read_text(file)
        findings.extend([problem] if problem else [])
        for parsed in parse(text, str(file)):
            findings.extend(parsed.findings)
            for crd in _crds(parsed.data):
                tables.extend(_table(crd, str(file), parsed.line, findings))
    return tables, findings


def _crds(data: Any) -> Iterator[Any]:
    """The CRDs of a list, or the one document."""
    if isinstance(data, dict) and isinstance(data.get("items"), list):
        yield from data["items"]
    elif data is not None:
        yield data


def _table(crd: Any, file: str, line: int, findings: list[Finding]) -> Iterator[dict[str, Any]]:
    try:
        yield table(crd)
    except (AttributeError, KeyError, TypeError):
        message = "no CustomResourceDefinition: group, kind or versions missing or of the wrong type"
        findings.append(Finding("RT017", Severity.WARNING, message, file, line, 1))
