"""Durations and instants as the grammar's parser takes them: arithmetic worked out (``[2m * 15]``, ``offset -step()``).

Experimental in Prometheus 3; promql/durations.go and the grammar's ``duration_expr``. Instants after ``@`` are moved
away from 1970, since the parser knows none before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sim.metrics.promql.lexer import Kind, Token, tokens
from sim.metrics.promql.nodes import PromqlSyntaxError
from sim.metrics.promql.positions import place

_UNIT_S: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_PART: Final = re.compile(r"([0-9]+)(ms|[smhdwy])")
LONGEST_S: Final = 2**63 / 1e9
"""Go counts nanoseconds in an int64."""
FAR_MS: Final = 10**15
"""What instants after ``@`` are moved by; none is farther from 1970, some 30,000 years, nor is any sample."""
_Change = tuple[int, int, str]
"""Where a part begins and ends, and what stands there instead."""
_DEEPEST: Final = 100
"""Brackets and signs inside one another; Python's stack must not decide."""


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except (OverflowError, ValueError):
        return math.nan


_INFIX: Final[dict[str, tuple[int, Callable[[float, float], float]]]] = {
    "+": (1, lambda left, right: left + right),
    "-": (1, lambda left, right: left - right),
    "*": (2, lambda left, right: left * right),
    "/": (2, lambda left, right: left / right),
    "%": (2, math.fmod),
    "^": (4, _power),
}
_SIGN: Final = 2
"""How tightly a sign binds: as ``*`` does, so that ``-2 ^ 2`` is -4."""


@dataclass(frozen=True, slots=True)
class Span:
    """What ``step()`` and ``range()`` stand for, milliseconds; both are 0 at a single instant."""

    step_ms: int = 0
    range_ms: int = 0


def depends_on_span(text: str) -> bool:
    """Whether the text may mean something else in another range query."""
    return re.search(r"\b(?:step|range)\s*\(", text, re.IGNORECASE) is not None


def folded(text: str, span: Span) -> str:
    """The text with each duration that is more than a literal worked out, and instants moved by ``FAR_MS``.

    PromqlSyntaxError when a duration is none, or an instant is out of bounds.
    """
    parts, done = [], 0
    for begin, end, written in _changes(_Reader(text, tokens(text), span)):
        parts += [text[done:begin], written]
        done = end
    return "".join([*parts, text[done:]])


def _changes(reader: _Reader) -> Iterator[_Change]:
    while (token := reader.peek()) is not None:
        reader.at += 1
        if token.text == "[":
            yield from reader.ranges()
        elif token.text == "holt_winters":
            yield token.at, token.at + len(token.text), "double_exponential_smoothing"
        elif token.text == "@":
            yield from reader.instant()
        elif token.kind is Kind.NAME and token.text.lower() == "offset":
            yield from reader.offset()


class _Reader:
    """Reads durations from tokens. Texts that are none are left alone: the grammar's parser says what is wrong."""

    def __init__(self, text: str, found: Sequence[Token], span: Span) -> None:
        self.at = 0
        self._text, self._found, self._span = text, found, span
        self._functions = {"step": span.step_ms / 1000.0, "range": span.range_ms / 1000.0}

    def peek(self, ahead: int = 0) -> Token | None:
        """A token that was not read yet."""
        return self._found[self.at + ahead] if self.at + ahead < len(self._found) else None

    def ranges(self) -> Iterator[_Change]:
        """The range and the step in square brackets."""
        for stops in ({"]", ":"}, {"]"}):
            begin = self.at
            first = self.peek()
            if first is None or first.text in stops:
                continue
            value = self._expression(0, 0)
            after = self.peek()
            if value is None or after is None or after.text not in stops:
                return
            milliseconds = self._milliseconds(first, value)
            if self.at - begin > 1:
                if milliseconds <= 0:
                    raise self._error(first, "duration must be greater than 0")
                yield first.at, self._end(), f"{milliseconds}ms"
            self.at += 1
            if after.text == "]":
                return

    def offset(self) -> Iterator[_Change]:
        """What follows ``offset``: a literal with a sign, or an expression in brackets or of a function."""
        first, begin = self.peek(), self.at
        sign = self._sign()
        value = self._operand(0)
        plain = all(one.kind is Kind.NUMBER or one.text in {"+", "-"} for one in self._found[begin : self.at])
        if first is None or value is None:
            return
        milliseconds = self._milliseconds(first, sign * value)
        # The grammar's parser takes a bare 0, but no ``0s``.
        if plain and value:
            return
        yield first.at, self._end(), f"{milliseconds}ms" if milliseconds else "0"

    def instant(self) -> Iterator[_Change]:
        """The number after ``@``."""
        first = self.peek()
        sign = self._sign()
        token = self.peek()
        if first is None or token is None or token.kind is not Kind.NUMBER:
            return
        self.at += 1
        seconds = sign * _seconds(token.text)
        if abs(seconds) >= 2.0**63:
            raise self._error(first, f"timestamp out of bounds for @ modifier: {seconds:f}")
        at_ms = max(-FAR_MS, min(FAR_MS, round(seconds * 1000.0))) + FAR_MS
        yield first.at, self._end(), f"{at_ms // 1000}.{at_ms % 1000:03}"

    def _sign(self) -> float:
        """-1 or 1, past a sign."""
        token = self.peek()
        if token is not None and token.text in {"+", "-"}:
            self.at += 1
            return -1.0 if token.text == "-" else 1.0
        return 1.0

    def _end(self) -> int:
        last = self._found[self.at - 1]
        return last.at + len(last.text)

    def _expression(self, binds: int, depth: int) -> float | None:
        left = self._signed(depth)
        while left is not None and (operator := self.peek()) is not None and operator.text in _INFIX:
            tightness, apply = _INFIX[operator.text]
            if tightness <= binds:
                break
            self.at += 1
            right = self._expression(tightness - (operator.text == "^"), depth + 1)
            if right is None:
                return None
            if right == 0 and operator.text in {"/", "%"}:
                raise self._error(operator, "division by zero" if operator.text == "/" else "modulo by zero")
            left = self._finite(operator, apply(left, right))
        return left

    def _signed(self, depth: int) -> float | None:
        token = self.peek()
        if token is None or token.text not in {"+", "-"}:
            return self._operand(depth)
        if depth > _DEEPEST:
            raise self._error(token, f"durations nested more than {_DEEPEST} levels deep are not modelled")
        self.at += 1
        value = self._expression(_SIGN, depth + 1)
        return value if value is None or token.text == "+" else -value

    def _operand(self, depth: int) -> float | None:
        token = self.peek()
        if token is None:
            return None
        if depth > _DEEPEST:
            raise self._error(token, f"durations nested more than {_DEEPEST} levels deep are not modelled")
        self.at += 1
        if token.kind is Kind.NUMBER:
            return _seconds(token.text)
        if token.text.lower() in {"inf", "nan"}:
            return float(token.text)
        if token.text == "(":
            value = self._expression(0, depth + 1)
            return value if self._take(")") else None
        return self._call(token.text.lower(), depth) if token.kind is Kind.NAME and self._take("(") else None

    def _call(self, name: str, depth: int) -> float | None:
        if name in self._functions:
            return self._functions[name] if self._take(")") else None
        if name not in {"min_of", "max_of"}:
            return None
        left = self._expression(0, depth + 1)
        right = self._expression(0, depth + 1) if left is not None and self._take(",") else None
        if left is None or right is None or not self._take(")"):
            return None
        return min(left, right) if name == "min_of" else max(left, right)

    def _take(self, text: str) -> bool:
        token = self.peek()
        if token is None or token.text != text:
            return False
        self.at += 1
        return True

    def _milliseconds(self, token: Token, seconds: float) -> int:
        if not abs(seconds) <= LONGEST_S:
            raise self._error(token, "duration out of range")
        return math.trunc(seconds * 1000.0)

    def _finite(self, token: Token, value: float) -> float:
        if not math.isfinite(value):
            raise self._error(token, "duration is NaN or infinite")
        return value

    def _error(self, token: Token, reason: str) -> PromqlSyntaxError:
        return PromqlSyntaxError(f"{place(self._text, token.at)}: parse error: {reason}")


def _seconds(text: str) -> float:
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return float(sum(int(number) * _UNIT_S[unit] for number, unit in parts))
    try:
        return float(int(text, 16)) if text[:2].lower() == "0x" else float(text)
    except (ValueError, OverflowError):
        return math.inf
