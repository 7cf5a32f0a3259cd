"""What ``check`` finds in one version and not in the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenarios.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class FindingChange:
    """A finding that is new, or resolved."""

    finding: Finding
    new: bool


def finding_changes(old: Sequence[Finding], new: Sequence[Finding]) -> tuple[FindingChange, ...]:
    """New findings, then resolved ones, each from errors to information.

    A finding is the same if its rule and its words are: lines move, and so do the numbers of steps.
    """
    return (
        *(FindingChange(item, new=True) for item in _ranked(_missing(new, old))),
        *(FindingChange(item, new=False) for item in _ranked(_missing(old, new))),
    )


def _missing(here: Sequence[Finding], there: Sequence[Finding]) -> Iterator[Finding]:
    """Those of ``here`` beyond as many as ``there`` has."""
    left = Counter((item.code, item.message) for item in there)
    for item in here:
        left[item.code, item.message] -= 1
        if left[item.code, item.message] < 0:
            yield item


def _ranked(findings: Iterator[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda item: list(Severity).index(item.severity))
