"""Sets of seconds of a day as bits of an integer, so that whole days are joined, shifted and searched at once.

Bit k of a mask stands for the open second (k, k + 1) after midnight. Days are proleptic ordinals (``date.toordinal``).
A day costs microseconds however often a schedule fires in it, which bounds every question about sync windows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = 86400
ALL: Final = (1 << DAY) - 1
"""Every second of a day."""


def midnight(day: int) -> datetime:
    """The first instant of a UTC day."""
    return datetime.combine(date.fromordinal(day), time(), UTC)


def smear(starts: int, length: int) -> int:
    """Every start with the ``length`` seconds that begin there, cut off at the end of the day."""
    wanted, reach, mask = min(length, DAY), 1, starts
    if wanted <= 0:
        return 0
    while reach < wanted:
        step = min(reach, wanted - reach)
        mask |= mask << step
        reach += step
    return mask & ALL


def between(begin: int, end: int) -> int:
    """The seconds from ``begin`` up to ``end``."""
    return (1 << end) - (1 << begin)


def first(mask: int) -> int:
    """The first second of a set that is not empty."""
    return (mask & -mask).bit_length() - 1


def runs(mask: int) -> Iterator[tuple[int, int]]:
    """Stretches [begin, end) without a gap, in order."""
    if mask == ALL:
        yield 0, DAY
    elif mask:
        for found in re.finditer("1+", f"{mask:b}"[::-1]):
            yield found.span()


def in_utc(local: Callable[[int], int], zone: ZoneInfo, day: int) -> int:
    """Seconds of a UTC day at which the zone's wall clock shows a second in ``local`` (a mask for every wall-clock day).

    Wall-clock times that a clock change skips do not happen, those it repeats happen twice.
    """
    mask = 0
    for begin, end, offset in _spans(zone, day):
        if offset == 0:
            found = local(day)
        else:
            wide = local(day - 1) | local(day) << DAY | local(day + 1) << 2 * DAY
            found = wide >> (DAY + offset)
        mask |= found & between(begin, end)
    return mask


def _spans(zone: ZoneInfo, day: int) -> tuple[tuple[int, int, int], ...]:
    """Stretches of a UTC day and the zone's offset in each, seconds; one, or two on the day of a clock change."""
    if zone.key == "UTC":
        return ((0, DAY, 0),)
    before, after = _offset(zone, day, 0), _offset(zone, day, DAY)
    if before == after:
        return ((0, DAY, before),)
    low, high = 0, DAY
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, day, middle) == before else (low, middle)
    return (0, high, before), (high, DAY, after)


def _offset(zone: ZoneInfo, day: int, second: int) -> int:
    at = (midnight(day) + timedelta(seconds=second)).astimezone(zone)
    return int((at.utcoffset() or timedelta()).total_seconds())
