"""The selectors inside a PromQL or Datadog query, and which HTTP answers each of them counts.

Textual on purpose: a query that does not parse still names its metrics, and rules must not trip over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

STATUS_LABELS = frozenset(
    {"status", "code", "status_code", "statuscode", "response_code", "http_status", "http_status_code", "http_code"}
)
CLASS_LABELS = frozenset({"status_class", "response_code_class", "code_class", "http_status_class", "status_family"})
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")

_STRING = r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'|`[^`]*`"
_PROMQL = re.compile(
    rf"(?P<metric>[a-zA-Z_:][\w:]*)\s*(?:\{{(?P<labels>(?:{_STRING}|[^{{}}])*)\}})?\s*\[(?P<window>[^\]:]+)(?P<sub>:[^\]]*)?\]"
    rf"|(?P<metric2>[a-zA-Z_:][\w:]*)\s*\{{(?P<labels2>(?:{_STRING}|[^{{}}])*)\}}"
)
_MATCHER = re.compile(rf"([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*({_STRING})")
_DATADOG = re.compile(r"\b(?P<space>[a-z][a-z0-9]*):(?P<metric>[a-zA-Z_][\w.]*)\{(?P<tags>[^{}]*)\}")


class Counts(StrEnum):
    """Which answers a selector counts."""

    TOTAL = "total"
    """All of them."""
    ERRORS = "errors"
    """Only answers of 400 and above."""
    GOOD = "good"
    """Only answers below 500, at least all of 2xx."""
    OTHER = "other"
    """Something else, or not requests by status at all."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """``label op "value"``; Datadog's ``tag:value`` reads as ``=``."""

    label: str
    operator: str
    value: str

    def accepts(self, value: str) -> bool | None:
        """Whether a series with this label value matches; None if the expression is no regular expression."""
        if self.operator in {"=", "!="}:
            return (value == self.value) is (self.operator == "=")
        try:
            return bool(re.fullmatch(self.value, value)) is (self.operator == "=~")
        except (re.error, OverflowError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector of a query; ``window`` is the text in ``[...]``."""

    metric: str
    matchers: tuple[Matcher, ...]
    window: str = ""
    aggregation: str = ""
    """Datadog's space aggregation (``avg``, ``sum``, ``p99``)."""
    start: int = 0
    end: int = 0

    @property
    def statuses(self) -> frozenset[int] | None:
        """The HTTP statuses it counts; None where no matcher speaks of a status."""
        return _statuses(tuple(m for m in self.matchers if m.label.lower() in STATUS_LABELS | CLASS_LABELS))

    @property
    def counts(self) -> Counts:
        """See ``Counts``."""
        statuses = self.statuses
        if statuses is None:
            return Counts.TOTAL
        if not statuses:
            return Counts.OTHER
        if min(statuses) >= 400:
            return Counts.ERRORS
        return Counts.GOOD if max(statuses) < 500 and set(range(200, 210)) <= statuses else Counts.OTHER


@lru_cache(maxsize=1024)
def _statuses(matchers: tuple[Matcher, ...]) -> frozenset[int] | None:
    if not matchers:
        return None
    return frozenset(status for status in range(100, 600) if all(_takes(matcher, status) for matcher in matchers))


def _takes(matcher: Matcher, status: int) -> bool:
    """A class label holds ``5xx`` (or ``5``), a status label ``503``; some teams put classes in status labels."""
    spellings = (f"{status // 100}xx", f"{status // 100}XX", f"{status // 100}")
    if matcher.label.lower() in STATUS_LABELS:
        spellings = (str(status), *(spellings[:2] if "x" in matcher.value.lower() else ()))
    answers = [bool(matcher.accepts(spelling)) for spelling in spellings]
    return all(answers) if matcher.operator in {"!=", "!~"} else any(answers)


def promql_selectors(query: str) -> Iterator[Selector]:
    """Selectors of a PromQL query: with a range, or with braces."""
    for match in _PROMQL.finditer(query):
        written = match["labels"] if match["metric"] else match["labels2"]
        matchers = tuple(
            Matcher(label, operator, _unquote(value)) for label, operator, value in _MATCHER.findall(written or "")
        )
        window = (match["window"] or "").strip()
        yield Selector(match["metric"] or match["metric2"], matchers, window, "", match.start(), match.end())


def datadog_selectors(query: str) -> Iterator[Selector]:
    """Selectors of a Datadog query."""
    for match in _DATADOG.finditer(query):
        matchers = tuple(_tag(tag) for tag in re.split(r"\s*,\s*|\s+AND\s+", match["tags"]) if ":" in tag)
        yield Selector(match["metric"], matchers, "", match["space"], match.start(), match.end())


def _tag(tag: str) -> Matcher:
    bare = tag.strip().lstrip("!-")
    name, _, value = bare.partition(":")
    negated = bare != tag.strip()
    if "*" in value:
        pattern = ".*".join(map(re.escape, value.split("*")))
        return Matcher(name, "!~" if negated else "=~", pattern)
    return Matcher(name, "!=" if negated else "=", value)


def _unquote(literal: str) -> str:
    body = literal[1:-1]
    return body if literal[0] == "`" else re.sub(r"\\(.)", r"\1", body)
