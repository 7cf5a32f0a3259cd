"""Functions over evaluated series, after Datadog's documentation; the query is their first argument.

Those whose algorithm is not published (``autosmooth``, ``anomalies``, ``forecast`` ...) are refused by name.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sim.metrics.datadog.parse import Arithmetic, Call, DatadogError, Node, Number, Word
from sim.metrics.datadog.series import AGGREGATES, Point, Series, kept, mapped

_A_NUMBER: Final = "a query and a number"
_A_FILLING: Final = "one of zero, last, linear and null, and a number of seconds"


@dataclass(frozen=True, slots=True)
class Options:
    """How a function was called: the call, the width of its query's points, and the window's grid of a width."""

    call: Call
    bucket_s: float
    grid: Callable[[float], list[float]]

    def refused(self, takes: str) -> DatadogError:
        """The refusal of its further arguments."""
        return DatadogError(f"{self.call.place}{self.call.name} takes {takes}")

    def number(self) -> float:
        """The only further argument, a number."""
        value = _constant(self.call.args[1]) if len(self.call.args) == 2 else None
        if value is None:
            raise self.refused(_A_NUMBER)
        return value


Function = Callable[[list[Series], Options], list[Series]]


def _constant(node: Node) -> float | None:
    match node:
        case Number(value):
            return value
        case Arithmetic("-", Number(0.0), Number(value)):
            return -value
    return None


def _default_zero(vector: list[Series], options: Options) -> list[Series]:
    """Zero in every bucket of the window without a point, also when nothing matches at all."""
    filled = []
    for series in vector or [Series((), ())]:
        known = dict(series.points)
        filled.append(Series(series.scope, tuple((t_s, known.get(t_s, 0.0)) for t_s in options.grid(options.bucket_s))))
    return filled


def _fill(vector: list[Series], options: Options) -> list[Series]:
    """``fill(zero | last | linear | null, seconds)`` inside series that exist; a gap longer than the limit stays."""
    match options.call.args[1:]:
        case (Word("null"), *_):
            return vector
        case (Word(("zero" | "last" | "linear") as mode),):
            limit_s = math.inf
        case (Word(("zero" | "last" | "linear") as mode), Number(limit_s)):
            pass
        case _:
            raise options.refused(_A_FILLING)
    grid = options.grid(options.bucket_s)
    return [Series(one.scope, kept(_filled(dict(one.points), grid, mode, limit_s))) for one in vector]


def _filled(
    known: dict[float, float], grid: list[float], mode: str, limit_s: float
) -> Iterator[tuple[float, float | None]]:
    for t_s in grid:
        earlier = max((one for one in known if one <= t_s), default=None)
        later = min((one for one in known if one >= t_s), default=None)
        if t_s in known or (mode != "zero" and (earlier is None or t_s - earlier > limit_s)):
            yield t_s, known.get(t_s)
        elif mode == "zero":
            yield t_s, 0.0
        elif mode == "last" and earlier is not None:
            yield t_s, known[earlier]
        elif earlier is not None and later is not None:
            share = (t_s - earlier) / (later - earlier)
            yield t_s, known[earlier] + share * (known[later] - known[earlier])


def _moving_rollup(vector: list[Series], options: Options) -> list[Series]:
    """At every point the aggregate of the points in the ``seconds`` that end with its bucket."""
    match options.call.args[1:]:
        case (Number(seconds), Word(method)) if method in AGGREGATES:
            pass
        case (Number(seconds),):
            method = "avg"
        case _:
            raise options.refused("a query, seconds and one of " + ", ".join(AGGREGATES))
    return [
        Series(one.scope, tuple((t_s, AGGREGATES[method](_trailing(one, t_s, seconds))) for t_s, _ in one.points))
        for one in vector
    ]


def _trailing(series: Series, t_s: float, seconds: float) -> list[float]:
    return [value for at_s, value in series.points if at_s == t_s or t_s - seconds < at_s < t_s]


def _paired(change: Callable[[Point, Point], float | None]) -> Function:
    """A function of each point and the one before it; the first point has none."""

    def call(vector: list[Series], options: Options) -> list[Series]:
        del options
        return [
            Series(
                one.scope,
                kept((now[0], change(before, now)) for before, now in zip(one.points, one.points[1:], strict=False)),
            )
            for one in vector
        ]

    return call


def _rising(scale_s: float) -> Function:
    """The rate of a counter; where it falls there is no point."""
    return _paired(
        lambda before, now: scale_s * (now[1] - before[1]) / (now[0] - before[0]) if now[1] >= before[1] else None
    )


def _summed(vector: list[Series], options: Options, width: Callable[[Options], float]) -> list[Series]:
    found = []
    for one in vector:
        total, points = 0.0, []
        for t_s, value in one.points:
            total += value * width(options)
            points.append((t_s, total))
        found.append(Series(one.scope, tuple(points)))
    return found


def _averaged(span: int) -> Function:
    """Exponentially weighted from the first point on, by 2 / (span + 1)."""
    weight = 2 / (span + 1)

    def call(vector: list[Series], options: Options) -> list[Series]:
        del options
        found = []
        for one in vector:
            points: list[Point] = []
            for t_s, value in one.points:
                points.append((t_s, value if not points else points[-1][1] + weight * (value - points[-1][1])))
            found.append(Series(one.scope, tuple(points)))
        return found

    return call


def _middle(span: int) -> Function:
    """The median of a point and the ones before it, ``span`` in all."""

    def call(vector: list[Series], options: Options) -> list[Series]:
        del options
        return [
            Series(
                one.scope,
                tuple(
                    (t_s, statistics.median(value for _, value in one.points[max(0, place - span + 1) : place + 1]))
                    for place, (t_s, _) in enumerate(one.points)
                ),
            )
            for one in vector
        ]

    return call


def _clamped(pick: Callable[[float, float], float]) -> Function:
    def call(vector: list[Series], options: Options) -> list[Series]:
        limit = options.number()
        return mapped(vector, lambda value: pick(value, limit))

    return call


def _cut_off(beyond: Callable[[float, float], bool]) -> Function:
    def call(vector: list[Series], options: Options) -> list[Series]:
        limit = options.number()
        return mapped(vector, lambda value: None if beyond(value, limit) else value)

    return call


def _counted(vector: list[Series], options: Options) -> list[Series]:
    """How many groups are not zero, at each time at which any has a point."""
    del options
    counts: dict[float, float] = {}
    for one in vector:
        for t_s, value in one.points:
            counts[t_s] = counts.get(t_s, 0.0) + (value != 0)
    return [Series((), tuple(sorted(counts.items())))]


def _not_null(vector: list[Series], options: Options) -> list[Series]:
    """Groups whose tags all have a value."""
    del options
    return [one for one in vector if all(value not in {"", "N/A"} for _, value in one.scope)]


_ORDERS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    **{name: AGGREGATES[name] for name in ("min", "max", "sum", "last")},
    "mean": AGGREGATES["avg"],
    "area": AGGREGATES["sum"],
    "l2norm": lambda values: math.sqrt(math.fsum(value * value for value in values)),
    "norm": lambda values: math.sqrt(math.fsum(value * value for value in values)),
}


def _best(vector: list[Series], limit: int, order: str, *, largest: bool) -> list[Series]:
    def size(one: Series) -> float:
        return _ORDERS[order]([value for _, value in one.points])

    return sorted(vector, key=size, reverse=largest)[:limit]


def _top(vector: list[Series], options: Options) -> list[Series]:
    """``top(query, limit, by, asc | desc)``: so many groups, the largest first (``desc``)."""
    match options.call.args[1:]:
        case (Number(limit), Word(order), Word(("asc" | "desc") as way)) if order in _ORDERS:
            return _best(vector, int(limit), order, largest=way == "desc")
    raise options.refused("a query, a number, one of " + ", ".join(_ORDERS) + ", and asc or desc")


def _ranked(name: str) -> Function:
    match = re.fullmatch(r"(top|bottom)([0-9]+)(?:_(\w+))?", name)
    way, limit, order = match.groups() if match else ("top", "5", None)
    return lambda vector, _: _best(vector, int(limit), order or "mean", largest=way == "top")


_RANKED: Final = tuple(
    f"{way}{limit}{order}"
    for way in ("top", "bottom")
    for limit in (5, 10, 15, 20)
    for order in ("", "_mean", "_min", "_max", "_last", "_area", "_l2norm", "_norm")
)
_HOUR_S: Final = 3600.0
_SHIFTS: Final[Mapping[str, float]] = {
    "hour_before": -_HOUR_S,
    "day_before": -24 * _HOUR_S,
    "week_before": -7 * 24 * _HOUR_S,
    "month_before": -28 * 24 * _HOUR_S,
}


def shift_of(call: Call) -> float | None:
    """By how many seconds a call looks aside (negative: back); None for functions that do not."""
    if call.name != "timeshift":
        return _SHIFTS.get(call.name)
    value = _constant(call.args[1]) if len(call.args) == 2 else None
    if value is None:
        msg = f"{call.place}timeshift takes a query and a number of seconds"
        raise DatadogError(msg)
    return value


FUNCTIONS: Final[Mapping[str, Function]] = {
    "default_zero": _default_zero,
    "fill": _fill,
    "moving_rollup": _moving_rollup,
    "abs": lambda vector, _: mapped(vector, abs),
    "log2": lambda vector, _: mapped(vector, lambda value: math.log2(value) if value > 0 else None),
    "log10": lambda vector, _: mapped(vector, lambda value: math.log10(value) if value > 0 else None),
    "clamp_min": _clamped(max),
    "clamp_max": _clamped(min),
    "cutoff_min": _cut_off(lambda value, limit: value < limit),
    "cutoff_max": _cut_off(lambda value, limit: value > limit),
    "diff": _paired(lambda before, now: now[1] - before[1]),
    "monotonic_diff": _paired(lambda before, now: now[1] - before[1] if now[1] >= before[1] else None),
    "derivative": _paired(lambda before, now: (now[1] - before[1]) / (now[0] - before[0])),
    "dt": _paired(lambda before, now: now[0] - before[0]),
    "per_second": _rising(1.0),
    "per_minute": _rising(60.0),
    "per_hour": _rising(_HOUR_S),
    "cumsum": lambda vector, options: _summed(vector, options, lambda _: 1.0),
    "integral": lambda vector, options: _summed(vector, options, lambda options: options.bucket_s),
    **{f"ewma_{span}": _averaged(span) for span in (3, 5, 7, 10, 20)},
    **{f"median_{span}": _middle(span) for span in (3, 5, 7, 9)},
    "count_nonzero": _counted,
    "count_not_null": lambda vector, options: _counted(mapped(vector, lambda _: 1.0), options),
    "exclude_null": _not_null,
    "top": _top,
    **{name: _ranked(name) for name in _RANKED},
}
"""Functions that can be evaluated, but for those that look aside (``timeshift``, ``week_before`` ...)."""
NAMES: Final = frozenset(FUNCTIONS) | frozenset(_SHIFTS) | {"timeshift"}
"""All that can be evaluated."""
