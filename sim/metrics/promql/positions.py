"""Where a query is wrong: line and column for what the grammar's parser says, as far as the tokens show it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from sim.metrics.promql.lexer import Kind, Token, tokens

_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_INFIX: Final = frozenset({"and", "or", "unless", "atan2"})
_MODIFIERS: Final = frozenset(
    {
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "offset",
        "fill",
        "fill_left",
        "fill_right",
    }
)
_LISTS: Final = frozenset({"on", "ignoring", "group_left", "group_right", "fill", "fill_left", "fill_right"})
_OPERANDS: Final = frozenset({Kind.TEXT, Kind.NUMBER, Kind.NAME})
_CALL: Final = re.compile(r"(?:call to(?: function)?|function with name|aggregate expression) '(\w+)'")


def located(text: str, reason: str) -> str:
    """The reason in the server's form, ``1:5: parse error: ...``; without a place where none can be told."""
    found = tokens(text)
    for find in (_broken, _strange, _unbalanced, _called, _pattern, _misplaced):
        at = find(found, reason)
        if at is not None:
            return f"{place(text, at)}: parse error: {_said(text, at, reason)}"
    return f"parse error: {reason}"


def place(text: str, at: int) -> str:
    """``line:column``, both from 1."""
    line_begin = text.rfind("\n", 0, at) + 1
    return f"{text.count(chr(10), 0, at) + 1}:{at - line_begin + 1}"


def _said(text: str, at: int, reason: str) -> str:
    """The parser's words, or what stands there when it has none."""
    if reason != "invalid promql query":
        return reason
    token = next((one for one in tokens(text) if one.at == at), None)
    return "unexpected end of input" if token is None else f"unexpected {token.text!r}"


def _broken(found: Sequence[Token], reason: str) -> int | None:
    del reason
    return next((one.at for one in found if one.kind is Kind.BROKEN), None)


def _strange(found: Sequence[Token], reason: str) -> int | None:
    """The character the parser names, outside quotes."""
    match = re.search(r"unexpected character[^:]*: '(.)'", reason)
    if match is None:
        return next((one.at for one in found if one.kind is Kind.OTHER), None)
    wanted = match[1]
    inside = {"inside brackets": "[", "inside braces": "{"}
    bracket = next((mark for words, mark in inside.items() if words in reason), "")
    return next((one.at for one in _inside(found, bracket) if one.text.startswith(wanted)), None)


def _inside(found: Sequence[Token], bracket: str) -> Iterator[Token]:
    """Tokens directly inside brackets of this kind; all tokens for ''."""
    stack: list[str] = []
    for one in found:
        if one.kind is Kind.CLOSE and stack:
            stack.pop()
        elif not bracket or (stack and stack[-1] == bracket):
            yield one
        if one.kind is Kind.OPEN:
            stack.append(one.text)


def _unbalanced(found: Sequence[Token], reason: str) -> int | None:
    """A bracket that closes nothing or the wrong kind, else the last one that is never closed."""
    del reason
    stack: list[Token] = []
    for one in found:
        if one.kind is Kind.OPEN:
            stack.append(one)
        elif one.kind is Kind.CLOSE:
            if not stack or stack[-1].text != _PAIRS[one.text]:
                return one.at
            stack.pop()
    return stack[-1].at if stack else None


def _called(found: Sequence[Token], reason: str) -> int | None:
    """The call of the function that the parser names, where there is one only."""
    match = _CALL.search(reason)
    if match is None:
        return None
    calls = [one.at for one, after in pairwise(found) if one.text == match[1] and after.text == "("]
    return calls[0] if len(calls) == 1 else None


def _pattern(found: Sequence[Token], reason: str) -> int | None:
    """The regular expression that the parser refuses."""
    match = re.search(r"illegal regex for (.*)", reason, re.DOTALL)
    if match is None:
        return None
    texts = (one for sign, one in pairwise(found) if sign.text in {"=~", "!~"})
    return next((one.at for one in texts if one.text[1:-1] == match[1]), None)


def _misplaced(found: Sequence[Token], reason: str) -> int | None:
    """The first token that cannot follow the one before it, for syntax errors without a word."""
    if reason != "invalid promql query":
        return None
    lists = set(_label_lists(found))
    braces = 0
    for before, one in pairwise(found):
        braces += {"{": 1, "}": -1}.get(before.text, 0)
        if _cannot_match(before, one) if braces else _cannot_follow(before, one, lists):
            return one.at
    if found and _awaits(found[0]) and found[0].text not in {"+", "-"}:
        return found[0].at
    return len(found) and found[-1].at + len(found[-1].text) if found and _awaits(found[-1]) else None


def _label_lists(found: Sequence[Token]) -> Iterator[int]:
    """Where the brackets end that an operand may follow: ``on (a) x``."""
    stack: list[bool] = []
    for before, one in pairwise([Token(Kind.OTHER, "", 0), *found]):
        if one.text == "(":
            stack.append(before.text in _LISTS)
        elif one.text == ")" and stack and stack.pop():
            yield one.at


def _awaits(token: Token) -> bool:
    """Whether an operand must follow."""
    return (token.kind is Kind.OPERATOR) or token.text in _INFIX or token.text == ","


def is_keyword(token: Token) -> bool:
    """Whether it joins or modifies expressions."""
    return token.kind is Kind.NAME and (token.text in _INFIX or token.text in _MODIFIERS)


def ends_operand(token: Token) -> bool:
    """Whether an operand may end with it."""
    return (token.kind in _OPERANDS and not is_keyword(token)) or token.kind is Kind.CLOSE


def _cannot_follow(before: Token, one: Token, lists: set[int]) -> bool:
    if ends_operand(before) and one.kind in _OPERANDS:
        return not is_keyword(one) and before.at not in lists
    if _awaits(before):
        return (one.kind is Kind.OPERATOR and one.text not in {"+", "-"}) or one.text in {")", "]"}
    if before.text in {"by", "without", "on", "ignoring"}:
        return one.text != "("
    return before.text == "(" and one.kind is Kind.OPERATOR and one.text not in {"+", "-"}


def _cannot_match(before: Token, one: Token) -> bool:
    """Inside braces: name, sign, text, comma."""
    signs = {"=", "!=", "=~", "!~"}
    if before.text in signs:
        return one.kind is not Kind.TEXT
    if before.text in {"{", ","}:
        return one.kind not in {Kind.NAME, Kind.TEXT} and one.text != "}"
    if before.kind is Kind.NAME:
        return one.text not in signs
    return before.kind is Kind.TEXT and one.text not in signs | {",", "}"}
