"""Claims that did not pass as findings: at the policy's line, with the gates that looked on as related places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from os.path import normpath
from pathlib import Path

from reports.gate import words
from reports.gate.card import Condition, Gate, Result
from reports.gate.sprt import Answer
from scenarios.findings import Finding, Related
from scenarios.rules.claims import FAILED, UNDECIDED


def gate_findings(gate: Gate) -> tuple[Finding, ...]:
    """One for each claim that failed (an error) or is undecided (a warning), in the order of the policy."""
    return tuple(_finding(result) for result in gate.results if result.answer is not Answer.PASSED)


def _finding(result: Result) -> Finding:
    rule = FAILED if result.answer is Answer.FAILED else UNDECIDED
    place = result.claim.place
    message = f"{result.claim.name}: {words.evidence(result)}, {words.conclusion(result)}"
    related = () if result.example is None else tuple(_related(result.example.conditions))
    found = Finding(rule.code, rule.severity, message, below(place.file), place.line, place.column, related=related)
    return replace(found, suggestion="\n".join(words.reasons(result)))


def _related(conditions: tuple[Condition, ...]) -> Iterator[Related]:
    for item in conditions:
        if item.place.line:
            yield Related(f"gate {item.metric} {item.said}", below(item.place.file), item.place.line, item.place.column)


def below(file: str) -> str:
    """The path from the working directory, where it lies below it: what GitHub and readers of SARIF expect."""
    path, here = Path(normpath(file)), Path.cwd()
    inside = path.is_absolute() and path.is_relative_to(here)
    return str(path.relative_to(here) if inside else path)
