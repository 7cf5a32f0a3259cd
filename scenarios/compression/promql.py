"""Durations inside PromQL, rewritten by their position: the rest of a query stays byte for byte as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.compression.pace import Spot, any_duration
from sim.metrics.promql.lexer import Kind, Token, tokens

PLACEHOLDER: Final = re.compile(r"\{\{\s*args\.([^{}]*?)\s*\}\}")
_COUNTING: Final = frozenset({"increase", "delta", "changes", "resets", "idelta"})
"""What these give grows with their range."""
_NUMBERED: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its durations rewritten, and the arguments that stand in a duration's place."""

    text: str
    arguments: frozenset[str] = frozenset()


def rewritten(text: str, spot: Spot) -> Query:
    """The query with every range, step of a subquery and offset divided."""
    found = tokens(PLACEHOLDER.sub(_stand_in, text))
    parts, arguments, done = list[str](), set[str](), 0
    for slot in _slots(found, spot):
        begin, end = slot[0].at, slot[-1].at + len(slot[-1].text)
        written = text[begin:end]
        if placeholder := PLACEHOLDER.fullmatch(written):
            arguments.add(placeholder[1])
            continue
        parts += [text[done:begin], _divided(written, slot, spot)]
        done = end
    _warn(found, spot)
    return Query("".join([*parts, text[done:]]), frozenset(arguments))


def _stand_in(match: re.Match[str]) -> str:
    """A number as long as the placeholder, so that places stay what they are; a name could run on past a colon."""
    return "1" * len(match[0])


def _slots(found: Sequence[Token], spot: Spot) -> Iterator[Sequence[Token]]:
    """The tokens of each duration, in order."""
    at = 0
    while at < len(found):
        token = found[at]
        at += 1
        if token.text == "[":
            while at < len(found) and found[at - 1].text != "]":
                end = _end(found, at)
                if end > at:
                    yield found[at:end]
                at = end + 1
        elif token.kind is Kind.NAME and token.text.lower() == "offset":
            begin = at + (at < len(found) and found[at].text in {"+", "-"})
            at = _operand_end(found, begin)
            if at > begin:
                yield found[begin:at]
        elif token.text == "@" and at < len(found) and found[at].kind is Kind.NUMBER:
            spot.note(f"the instant @ {found[at].text} is of the calendar and stays")


def _end(found: Sequence[Token], at: int) -> int:
    """Where the colon or bracket is that ends a range or a step."""
    depth = 0
    while at < len(found) and (depth or found[at].text not in {"]", ":"}):
        depth += {"(": 1, ")": -1}.get(found[at].text, 0)
        at += 1
    return at


def _operand_end(found: Sequence[Token], at: int) -> int:
    """Where what follows ``offset`` ends: one token, a call, or an expression in brackets."""
    if at >= len(found):
        return at
    begin = at
    if found[at].kind is Kind.NAME:
        at += 1
    if at < len(found) and found[at].text == "(":
        depth = 0
        while at < len(found):
            depth += {"(": 1, ")": -1}.get(found[at].text, 0)
            at += 1
            if not depth:
                return at
    return max(at, begin + 1)


def _divided(written: str, slot: Sequence[Token], spot: Spot) -> str:
    if PLACEHOLDER.search(written):
        spot.note(f"{written} is put together from an argument and stays")
        return written
    if len(slot) == 1 and slot[0].kind is Kind.NUMBER:
        # Prometheus 3 also takes plain seconds.
        return str(any_duration(f"{written}s" if _NUMBERED.fullmatch(written) else written, spot))
    if any(token.text.lower() in {"step", "range"} for token in slot):
        # What they stand for is divided already.
        return written
    return f"({written}) / {spot.pace.factor:g}"


def _warn(found: Sequence[Token], spot: Spot) -> None:
    for name in sorted({token.text for token in found if token.kind is Kind.NAME} & _COUNTING):
        factor = spot.pace.factor
        spot.note(f"{name}() over a range that is {factor:g} times as short counts about {factor:g} times less")
