"""Seconds inside Datadog queries: rollups and the functions that look over or back a number of seconds."""

from __future__ import annotations

import re
from typing import Final

from scenarios.compression.pace import Spot

_ROLLUP: Final = re.compile(r"(\.rollup\(\s*(?:[a-zA-Z]+\s*,\s*)?)([0-9]+)(?=\s*[,)])")
_SHIFTED: Final = re.compile(r"(?<![.\w])(?:moving_rollup|timeshift)\s*\(")
_BEFORE: Final = re.compile(r"(?<![.\w])(?:hour|day|week|month)_before\s*\(")
_SIGNED: Final = re.compile(r"(\s*[-+]?\s*)([0-9]+)(?=\s*[,)])")


def rewritten(text: str, spot: Spot) -> str:
    """The query with its seconds divided (whole seconds, at least 1); the rest as written."""
    for match in _BEFORE.finditer(text):
        spot.note(f"{match[0].rstrip('( ')} looks back as far as before")
    text = _ROLLUP.sub(lambda match: match[1] + _whole(match[2], spot), text)
    # From the back, so that what has been found stays where it is.
    for match in reversed(list(_SHIFTED.finditer(text))):
        comma = _comma(text, match.end())
        if comma and (number := _SIGNED.match(text, comma)):
            text = text[: number.start(2)] + _whole(number[2], spot) + text[number.end(2) :]
    return text


def _whole(digits: str, spot: Spot) -> str:
    written = int(digits)
    got = spot.pace.whole_s(written)
    spot.rounded(f"{written} s", written / spot.pace.factor, got)
    return str(got)


def _comma(text: str, at: int) -> int:
    """Just after the first comma of these brackets; 0 if there is none."""
    depth = 0
    for place in range(at, len(text)):
        character = text[place]
        if character == "," and not depth:
            return place + 1
        depth += (character in "({") - (character in ")}")
        if depth < 0:
            return 0
    return 0
