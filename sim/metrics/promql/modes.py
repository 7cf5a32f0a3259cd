"""What the grammar's parser does not know, on its way through it as one more matcher.

That is ``anchored`` and ``smoothed``, and selectors of ``info`` whose matchers all accept the empty text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from sim.metrics.promql.lexer import Kind, Token, tokens
from sim.metrics.promql.nodes import PromqlSyntaxError
from sim.metrics.promql.positions import ends_operand, is_keyword, place

Mode = Literal["", "anchored", "smoothed"]
_MODES: Final[dict[str, Mode]] = {"anchored": "anchored", "smoothed": "smoothed"}
_MARK: Final = "__rolltwin_mode__"


def marked(text: str) -> str:
    """The text with each modifier moved into the selector it follows; PromqlSyntaxError for two of them."""
    found = tokens(text)
    edits: list[tuple[int, int, str]] = []
    taken: set[int] = set()
    for modifier, selector, following in _modified(found):
        if selector.at in taken:
            msg = f"{place(text, modifier.at)}: parse error: anchored and smoothed modifiers cannot be used together"
            raise PromqlSyntaxError(msg)
        taken.add(selector.at)
        edits += [_mark(modifier.text, selector, following), (modifier.at, len(modifier.text), "")]
    edits += [_mark("info", selector, following) for selector, following in _info_selectors(found)]
    for at, length, written in sorted(edits, reverse=True):
        text = text[:at] + written + text[at + length :]
    return text


def _mark(mode: str, selector: Token, following: str) -> tuple[int, int, str]:
    matcher = f'{_MARK}="{mode}"'
    if selector.text == "{":
        return selector.at + 1, 0, matcher if following == "}" else f"{matcher},"
    return selector.at + len(selector.text), 0, f"{{{matcher}}}"


def _modified(found: Sequence[Token]) -> Iterator[tuple[Token, Token, str]]:
    """(modifier, where its selector takes a matcher, what follows there) of every modifier."""
    current: tuple[Token, str] | None = None
    depth = 0
    for before, one, after in zip([_NOTHING, *found], found, [*found[1:], _NOTHING], strict=False):
        if depth == 0 and current is not None and one.text in _MODES and ends_operand(before):
            yield one, *current
        elif one.text == "{" or (depth == 0 and _is_metric(one, after)):
            current = one, after.text
        depth += {"{": 1, "}": -1}.get(one.text, 0)


def _info_selectors(found: Sequence[Token]) -> Iterator[tuple[Token, str]]:
    """The second arguments of ``info``, and what follows their brace."""
    stack: list[bool] = []
    for before, one, after in zip([_NOTHING, *found], found, [*found[1:], _NOTHING], strict=False):
        if one.text == "{" and before.text == "," and stack and stack[-1]:
            yield one, after.text
        if one.kind is Kind.OPEN:
            stack.append(one.text == "(" and before.text == "info")
        elif one.kind is Kind.CLOSE and stack:
            stack.pop()


def _is_metric(token: Token, after: Token) -> bool:
    """Whether a name may be a metric's, without braces after it."""
    return token.kind is Kind.NAME and not is_keyword(token) and after.text not in {"(", "{"}


_NOTHING: Final = Token(Kind.OTHER, "", 0)


def mode_of(matchers: Sequence[Any]) -> tuple[Mode, list[Any]]:
    """A selector's modifier, and its matchers without the mark."""
    mode: Mode = next((_MODES.get(one.value, "") for one in matchers if one.name == _MARK), "")
    return mode, [one for one in matchers if one.name != _MARK]
