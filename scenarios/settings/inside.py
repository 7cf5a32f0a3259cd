"""Numbers and windows inside of conditions and queries, by their place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scenarios.findings import Path
from sim.metrics.promql.lexer import Kind, tokens

_NUMBER: Final = re.compile(r"(?<![\w.\]\"'])(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.])")
_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_BRACKETS: Final = re.compile(r"\[[^\[\]]*\]|\{\{[^{}]*\}\}|\{[^{}]*\}")
CONDITIONS: Final = ("successCondition", "failureCondition")


@dataclass(frozen=True, slots=True)
class Spot:
    """A literal and every place in the text where it stands for the same thing."""

    text: str
    at: tuple[int, ...]

    def replaced(self, whole: str, value: str) -> str:
        """The text with this literal changed wherever it stands."""
        for begin in reversed(self.at):
            whole = whole[:begin] + value + whole[begin + len(self.text) :]
        return whole


def holds_literals(path: Path) -> bool:
    """Whether the text at a path of a template is a condition or a query."""
    return bool(path) and (path[-1] in {*CONDITIONS, "query"} or "queries" in path)


def windows(query: str) -> tuple[Spot, ...]:
    """The ranges of a PromQL query; those written alike are one window, for a ratio is taken over one."""
    found: dict[str, list[int]] = {}
    listed = tokens(query)
    for before, token, after in zip(listed, listed[1:], listed[2:], strict=False):
        if before.text == "[" and token.kind is Kind.NUMBER and after.text in {"]", ":"}:
            found.setdefault(token.text, []).append(token.at)
    return tuple(Spot(text, tuple(at)) for text, at in found.items())


def numbers(text: str) -> tuple[Spot, ...]:
    """The numbers of a condition or query, but for indices, ranges, selectors and whatever is quoted."""
    return tuple(Spot(match[0], (match.start(),)) for match in _NUMBER.finditer(_bare(text)))


def _bare(text: str) -> str:
    """The text with what holds no thresholds blanked out, every place kept."""
    for pattern in (_QUOTED, _BRACKETS):
        text = pattern.sub(lambda match: "[" + " " * (len(match[0]) - 2) + "]", text)
    return text


def occurrences(text: str, part: str) -> Iterator[int]:
    """Where the part begins, overlaps left out."""
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))
