"""What is wrong with a document, and where: the one shape every check reports in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

Path = tuple[str | int, ...]
"""Keys and list indices from the root of an object to one of its nodes."""


class Severity(StrEnum):
    """How much a finding matters, worst first."""

    ERROR = "error"
    """The cluster refuses it, or it cannot do what it says."""
    WARNING = "warning"
    """It works, but probably not as meant."""
    INFO = "info"
    """Worth knowing; nothing is wrong."""


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that has to do with a finding, and what it has."""

    message: str
    file: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found at one place. ``line`` and ``column`` count from 1; 0 means the place is not known."""

    code: str
    """Stable name of the rule, ``RT`` and three digits."""
    severity: Severity
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    path: Path = ()
    """Inside the object; empty for findings about a whole file or document."""
    suggestion: str = ""
    related: tuple[Related, ...] = ()

    @property
    def place(self) -> str:
        """``file:line:column``, without the parts that are not known."""
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])

    def __str__(self) -> str:
        """One line as compilers write it."""
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.place}: {self.severity}: {self.code} {self.message}{hint}".removeprefix(": ")


class BadInput(Exception):  # noqa: N818 - it names what the user gave, not a failure of the program
    """Raised once with everything that is wrong with the input, never with only the first."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = ordered(findings)
        super().__init__("\n".join(map(str, self.findings)))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The distinct findings by file, line, column, severity (worst first), code and message."""
    return tuple(sorted(set(findings), key=_sort_key))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def path_text(path: Path) -> str:
    """``spec.http[0].route``: the path as the API server writes it."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _sort_key(finding: Finding) -> tuple[str, int, int, int, str, str, str]:
    where = (finding.file, finding.line, finding.column)
    return (*where, _RANK[finding.severity], finding.code, finding.message, path_text(finding.path))
