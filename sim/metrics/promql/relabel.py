"""label_replace and label_join."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sim.metrics.promql.nodes import PromqlError
from sim.metrics.promql.selectors import Vector, pattern
from sim.metrics.store import Labels

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_GROUP = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))")


def label_replace(vector: Vector, target: str, replacement: str, source: str, regex: str) -> Vector:
    """Samples whose source label the (anchored) pattern matches get the expanded replacement as target label."""
    compiled = pattern(regex)
    _check_name(target)
    found: Vector = []
    for labels, value in vector:
        match = compiled.fullmatch(labels.get(source, ""))
        found.append((labels if match is None else _with(labels, target, _expanded(replacement, match)), value))
    return unique(found)


def _expanded(replacement: str, match: re.Match[str]) -> str:
    def group(reference: re.Match[str]) -> str:
        if reference[3]:
            return "$"
        name = reference[1] or reference[2]
        key = int(name) if name.isdigit() else name
        try:
            return match[key] or ""
        except IndexError:
            return ""

    return _GROUP.sub(group, replacement)


def label_join(vector: Vector, target: str, separator: str, sources: Sequence[str]) -> Vector:
    """Every sample with the source labels' values joined into the target label."""
    _check_name(target)
    return unique(
        [
            (_with(labels, target, separator.join(labels.get(source, "") for source in sources)), value)
            for labels, value in vector
        ]
    )


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        msg = f"invalid destination label name in label_replace or label_join: {name}"
        raise PromqlError(msg)


def _with(labels: Labels, name: str, text: str) -> Labels:
    changed = {**labels, name: text}
    return {key: changed[key] for key in sorted(changed) if changed[key]}


def unique(vector: Vector) -> Vector:
    """The vector; PromqlError when two samples have the same labels."""
    if len({frozenset(labels.items()) for labels, _ in vector}) != len(vector):
        msg = "vector cannot contain metrics with the same labelset"
        raise PromqlError(msg)
    return vector
