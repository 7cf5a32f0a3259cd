"""From text to syntax tree. The grammar and its type rules are promql-parser's; only its tree is read here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

import promql_parser as upstream

from sim.metrics.promql import nodes
from sim.metrics.promql.durations import FAR_MS, LONGEST_S, Span, folded
from sim.metrics.promql.lexer import Kind, tokens
from sim.metrics.promql.modes import marked, mode_of
from sim.metrics.promql.nodes import Node, PromqlError, PromqlSyntaxError
from sim.metrics.promql.positions import located
from sim.metrics.promql.selectors import pattern
from sim.metrics.rows import NAME

_OPS = {"Equal": "=", "NotEqual": "!="}
_INSTANT: Final = Span()
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_LONGEST: Final = 10_000
"""Characters. In twice as many the grammar's own recursion can end the process."""
_DEEPEST: Final = 200
"""Levels of the tree; Python's stack must not decide."""


@lru_cache(maxsize=1024)
def parse(text: str, span: Span = _INSTANT) -> Node:
    """The query's tree; PromqlError with the parser's words when it is not PromQL, or names a thing not modelled."""
    tree = tree_of(text, span)
    if _is_deep(tree):
        msg = f"queries nested more than {_DEEPEST} levels deep are not modelled"
        raise PromqlError(msg)
    try:
        return _node(tree)
    except (ValueError, OverflowError):  # the binding cannot express what the grammar let pass
        msg = "parse error: duration out of range"
        raise PromqlSyntaxError(msg) from None


def tree_of(text: str, span: Span = _INSTANT) -> Any:
    """The grammar's own tree; PromqlSyntaxError with line and column when there is none, PromqlError when it is too long."""
    if len(text) > _LONGEST:
        msg = f"queries of more than {_LONGEST} characters are not modelled"
        raise PromqlError(msg)
    _refuse_bytes(text)
    written = marked(folded(text, span))
    try:
        return upstream.parse(written)
    except UnicodeEncodeError:
        msg = "parse error: it is not valid Unicode"
        raise PromqlSyntaxError(msg) from None
    except ValueError as error:
        raise PromqlSyntaxError(located(written, str(error))) from None


def _refuse_bytes(text: str) -> None:
    """PromqlError for escapes of single bytes: to the server they are bytes, to the grammar's parser characters."""
    for one in tokens(text):
        escapes = _ESCAPE.findall(one.text) if one.kind is Kind.TEXT and one.text[0] != "`" else ()
        if any(escape[0] == "x" and int(escape[1:], 16) > 127 for escape in escapes):
            msg = "escaped bytes that are no character are not modelled"
            raise PromqlError(msg)


def _is_deep(tree: Any) -> bool:
    level = [tree]
    for _ in range(_DEEPEST):
        level = [part for one in level for part in _parts(one)]
    return bool(level)


def _parts(tree: Any) -> Iterator[Any]:
    yield from getattr(tree, "args", ())
    yield from (part for name in ("expr", "lhs", "rhs", "param") if (part := getattr(tree, name, None)) is not None)


def _node(tree: Any) -> Node:
    convert = _CONVERT.get(type(tree).__name__)
    if convert is None:
        msg = f"{type(tree).__name__} is not modelled"
        raise PromqlError(msg)
    return convert(tree)


def _ms(delta: timedelta) -> int:
    if abs(delta.total_seconds()) > LONGEST_S:
        raise OverflowError
    return round(delta.total_seconds() * 1000)


def _range_ms(delta: timedelta) -> int:
    if delta <= timedelta():
        msg = "parse error: duration must be greater than 0"
        raise PromqlSyntaxError(msg)
    return _ms(delta)


def _when(tree: Any) -> nodes.When:
    offset_ms = _ms(tree.offset) if tree.offset is not None else 0
    if tree.at is None:
        return nodes.When(None, offset_ms)
    match str(tree.at.type).rsplit(".", maxsplit=1)[-1]:
        case "Start":
            return nodes.When("start", offset_ms)
        case "End":
            return nodes.When("end", offset_ms)
    seconds, _, thousandths = str(tree.at).removeprefix("@").strip().partition(".")
    return nodes.When(int(seconds) * 1000 + int(thousandths) - FAR_MS, offset_ms)


def _matcher(tree: Any) -> nodes.Matcher:
    kind = str(tree.op).rsplit(".", maxsplit=1)[-1]
    if kind in _OPS:
        return nodes.Matcher(tree.name, _OPS[kind], tree.value)
    try:
        pattern(tree.value)
    except PromqlError as error:
        msg = f"parse error: {error.reason}"
        raise PromqlSyntaxError(msg) from None
    return nodes.Matcher(tree.name, "=~" if kind == "Re" else "!~", tree.value)


def _selector(tree: Any) -> nodes.Selector:
    if tree.matchers.or_matchers:
        msg = "'or' between label matchers is not PromQL"
        raise PromqlError(msg)
    mode, written = mode_of(tree.matchers.matchers)
    matchers = tuple(_matcher(one) for one in written)
    name = tree.name
    for one in matchers:
        if name is None and one.name == NAME and one.op == "=":
            name = one.value
    return nodes.Selector(name, matchers, _when(tree), mode)


def _subquery(tree: Any) -> nodes.Subquery:
    step = _ms(tree.step) if tree.step is not None else None
    return nodes.Subquery(_node(tree.expr), _range_ms(tree.range), step or None, _when(tree))


def _call(tree: Any) -> nodes.Call:
    return nodes.Call(tree.func.name, tuple(_node(one) for one in tree.args))


def _aggregate(tree: Any) -> nodes.Aggregate:
    without = tree.modifier is not None and str(tree.modifier.type).endswith("Without")
    labels = tuple(tree.modifier.labels) if tree.modifier is not None else ()
    param = _node(tree.param) if tree.param is not None else None
    return nodes.Aggregate(str(tree.op), _node(tree.expr), param, labels, without)


def _binary(tree: Any) -> nodes.Binary:
    op, modifier = str(tree.op), tree.modifier
    lhs, rhs = _node(tree.lhs), _node(tree.rhs)
    if modifier is None:
        return nodes.Binary(op, lhs, rhs)
    on = modifier.matching is not None and str(modifier.matching.type).endswith("Include")
    labels = tuple(modifier.matching.labels) if modifier.matching is not None else ()
    card = str(modifier.card).rsplit(".", maxsplit=1)[-1]
    many = {"ManyToOne": "left", "OneToMany": "right"}.get(card, "")
    fills = modifier.fill_values
    left, right = (fills.lhs, fills.rhs) if fills is not None else (None, None)
    matching = nodes.Matching(on, labels, many, tuple(modifier.group_labels or ()), left, right)  # type: ignore[arg-type]
    return nodes.Binary(op, lhs, rhs, matching, modifier.return_bool)


_CONVERT: dict[str, Callable[[Any], Node]] = {
    "NumberLiteral": lambda tree: nodes.Number(tree.val),
    "StringLiteral": lambda tree: nodes.Text(tree.val),
    "VectorSelector": _selector,
    "MatrixSelector": lambda tree: nodes.Matrix(_selector(tree.vector_selector), _range_ms(tree.range)),
    "SubqueryExpr": _subquery,
    "Call": _call,
    "AggregateExpr": _aggregate,
    "BinaryExpr": _binary,
    "UnaryExpr": lambda tree: nodes.Negate(_node(tree.expr)),
    "ParenExpr": lambda tree: _node(tree.expr),
}
