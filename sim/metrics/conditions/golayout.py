"""Go's reference-time layouts (``2006-01-02 15:04:05``)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_PARTS: Final = {
    "2006": "%Y", "January": "%B", "Jan": "%b", "Monday": "%A", "Mon": "%a", "01": "%m", "02": "%d", "15": "%H",
    "03": "%I", "04": "%M", "05": "%S", "06": "%y", "PM": "%p", "Z07:00": "%z", "-07:00": "%z", "-0700": "%z",
    "MST": "%Z", ".000000": ".%f", ".000": ".%f",
}  # fmt: skip
_TOKEN = re.compile("|".join(re.escape(part) for part in sorted(_PARTS, key=len, reverse=True)))

COMMON: Final = (
    "2006-01-02", "15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00", "02 Jan 06 15:04 MST",
    "02 Jan 06 15:04 -0700", "Monday, 02-Jan-06 15:04:05 MST", "Mon, 02 Jan 2006 15:04:05 MST",
)  # fmt: skip
"""Layouts that ``date`` tries when none is given."""


def parse(text: str, layout: str) -> datetime | None:
    """The instant a text means in a layout (naive without a zone in it), None when it does not fit."""
    pattern = _pattern(layout)
    try:
        found = datetime.strptime(text, pattern)  # noqa: DTZ007  # the caller knows the zone
    except (ValueError, re.error):
        return None
    return found.replace(tzinfo=UTC) if "%Z" in pattern and found.tzinfo is None else found


def shown(time: datetime, layout: str) -> str:
    """``time.Format``."""
    return time.strftime(_pattern(layout))


def _pattern(layout: str) -> str:
    """The layout for ``strftime``."""
    pattern, position = "", 0
    for match in _TOKEN.finditer(layout):
        pattern += layout[position : match.start()].replace("%", "%%") + _PARTS[match[0]]
        position = match.end()
    return pattern + layout[position:].replace("%", "%%")
