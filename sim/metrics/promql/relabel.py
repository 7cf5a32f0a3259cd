"""label_replace and label_join."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from sim.metrics.promql.nodes import PromqlError
from sim.metrics.promql.selectors import pattern
from sim.metrics.promql.values import Context, Vector, unique
from sim.metrics.rows import NAME, Labels, Rows
from sim.patterns import Match

_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_GROUP: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))", re.ASCII)


def label_replace(vector: Vector, texts: Sequence[str], context: Context) -> Vector:
    """Samples whose source label the (anchored) pattern matches get the expanded replacement as target label.

    The texts are target, replacement, source and pattern.
    """
    target, replacement, source, regex = texts
    try:
        compiled = pattern(regex)
    except PromqlError as error:
        msg = f"invalid regular expression in label_replace(): {regex} ({error})"
        raise PromqlError(msg) from None
    _check_name("destination", "label_replace", target, context)

    def text(labels: Labels) -> str | None:
        match = compiled.fullmatch(labels.get(source, ""))
        return None if match is None else _expanded(replacement, match, compiled.groupindex)

    return _relabelled(vector, target, ("replace", *texts), text)


def _expanded(replacement: str, match: Match, names: dict[str, int]) -> str:
    """Go's Expand: ``$1``, ``${1}``, ``$name``; a group that is not there is empty."""

    def group(reference: re.Match[str]) -> str:
        if reference[3]:
            return "$"
        name = reference[1] or reference[2]
        index = names.get(name, -1)
        if name.isdigit() and len(name) < 4:
            index = int(name)
        try:
            return match.group(index) or "" if index >= 0 else ""
        except IndexError:
            return ""

    return _GROUP.sub(group, replacement)


def label_join(vector: Vector, target: str, separator: str, sources: Sequence[str], context: Context) -> Vector:
    """Every sample with the source labels' values joined into the target label."""
    for source in sources:
        _check_name("source", "label_join", source, context)
    _check_name("destination", "label_join", target, context)
    key = ("join", target, separator, tuple(sources))
    return _relabelled(vector, target, key, lambda labels: separator.join(labels.get(one, "") for one in sources))


def _relabelled(vector: Vector, target: str, key: tuple[object, ...], text: Callable[[Labels], str | None]) -> Vector:
    return Vector(unique(vector.rows.once(key, lambda: _with(vector.rows, target, text))), vector.values)


def _with(rows: Rows, target: str, text: Callable[[Labels], str | None]) -> Rows:
    texts = [text(labels) for labels in rows.labels]
    changed = [
        labels if new is None else _set(labels, target, new) for labels, new in zip(rows.labels, texts, strict=True)
    ]
    # A name that was given anew stays at the end of the query.
    nameless = [rows.loses_name(at) and (target != NAME or new is None) for at, new in enumerate(texts)]
    return Rows(changed, nameless)


def _set(labels: Labels, name: str, text: str) -> Labels:
    changed = {**labels, name: text}
    return {key: changed[key] for key in sorted(changed) if changed[key]}


def _check_name(which: str, function: str, name: str, context: Context) -> None:
    valid = bool(_NAME.fullmatch(name)) if context.dialect.closed else bool(name)
    if not valid:
        msg = f"invalid {which} label name in {function}(): {name}"
        raise PromqlError(msg)
