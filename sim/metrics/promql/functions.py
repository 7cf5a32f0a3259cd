"""PromQL's functions by name: over windows (range vectors) and over values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from sim.metrics.promql import overtime, rates, relabel
from sim.metrics.promql.binary import bare
from sim.metrics.promql.histogram import histogram_quantile
from sim.metrics.promql.scalars import CALENDAR, MATHEMATICS, rounded
from sim.metrics.promql.selectors import Context, Ranges, Vector

Arguments = list[Any]
"""Evaluated arguments, whose types the parser has checked against the function's signature."""


def _mapped(vector: Vector, function: Callable[[float], float]) -> Vector:
    return [(bare(labels), function(value)) for labels, value in vector]


def _at_s(context: Context) -> float:
    return context.at_ms / 1000.0


def _quantile_over_time(args: Arguments, context: Context) -> Vector:
    del context
    q, over = args
    return [(series.bare, overtime.quantile(q, series.values[low:high])) for series, low, high in over.windows]


def _regressions(over: Ranges, at_ms: int) -> list[tuple[Any, tuple[float, float]]]:
    return [
        (window[0].bare, overtime.regression(window, at_ms)) for window in over.windows if window[2] - window[1] >= 2
    ]


def _deriv(args: Arguments, context: Context) -> Vector:
    return [(labels, slope) for labels, (slope, _) in _regressions(args[0], context.at_ms)]


def _predict_linear(args: Arguments, context: Context) -> Vector:
    over, ahead_s = args
    return [(labels, level + slope * ahead_s) for labels, (slope, level) in _regressions(over, context.at_ms)]


OVER_RANGES: Final[dict[str, Callable[[Arguments, Context], Vector]]] = {
    "rate": lambda args, context: rates.extrapolated(args[0], context, counter=True, per_second=True),
    "increase": lambda args, context: rates.extrapolated(args[0], context, counter=True, per_second=False),
    "delta": lambda args, context: rates.extrapolated(args[0], context, counter=False, per_second=False),
    "irate": lambda args, _: rates.instant_change(args[0], counter=True, per_second=True),
    "idelta": lambda args, _: rates.instant_change(args[0], counter=False, per_second=False),
    "quantile_over_time": _quantile_over_time,
    "deriv": _deriv,
    "predict_linear": _predict_linear,
}


def over_ranges(name: str, args: Arguments, context: Context) -> Vector:
    """A range function's result; PromqlError when dropping the metric names leaves two samples with equal labels."""
    vector = OVER_RANGES[name](args, context)
    over = next(arg for arg in args if isinstance(arg, Ranges))
    return vector if over.distinct else relabel.unique(vector)


def _plain(name: str) -> Callable[[Arguments, Context], Vector]:
    function = overtime.PLAIN[name]
    if name == "last_over_time":
        return lambda args, _: [(series.labels, series.values[high - 1]) for series, _, high in args[0].windows]
    return lambda args, _: [(series.bare, function(series.values[low:high])) for series, low, high in args[0].windows]


OVER_RANGES.update({name: _plain(name) for name in overtime.PLAIN})


def _clamped(vector: Vector, low: float, high: float) -> Vector:
    if low > high:
        return []
    if math.isnan(low) or math.isnan(high):
        return _mapped(vector, lambda _: math.nan)
    return _mapped(vector, lambda value: value if math.isnan(value) else max(low, min(high, value)))


def _sorted(vector: Vector, *, descending: bool) -> Vector:
    sign = -1.0 if descending else 1.0
    return sorted(vector, key=lambda sample: (math.isnan(sample[1]), sign * sample[1]))


def _scalar(vector: Vector) -> float:
    return vector[0][1] if len(vector) == 1 else math.nan


def _calendar(function: Callable[[float], float]) -> Callable[[Arguments, Context], Vector]:
    return lambda args, context: _mapped(args[0] if args else [({}, _at_s(context))], function)


def _mathematics(function: Callable[[float], float]) -> Callable[[Arguments, Context], Vector]:
    return lambda args, _: _mapped(args[0], function)


OVER_VALUES: Final[dict[str, Callable[[Arguments, Context], float | Vector]]] = {
    "histogram_quantile": lambda args, _: histogram_quantile(args[0], args[1]),
    "label_replace": lambda args, _: relabel.label_replace(*args),
    "label_join": lambda args, _: relabel.label_join(args[0], args[1], args[2], args[3:]),
    "scalar": lambda args, _: _scalar(args[0]),
    "vector": lambda args, _: [({}, args[0])],
    "time": lambda _, context: _at_s(context),
    "pi": lambda _, __: math.pi,
    "timestamp": lambda args, context: _mapped(args[0], lambda _: _at_s(context)),
    "sort": lambda args, _: _sorted(args[0], descending=False),
    "sort_desc": lambda args, _: _sorted(args[0], descending=True),
    "clamp": lambda args, _: _clamped(args[0], args[1], args[2]),
    "clamp_min": lambda args, _: _clamped(args[0], args[1], math.inf),
    "clamp_max": lambda args, _: _clamped(args[0], -math.inf, args[1]),
    "round": lambda args, _: _mapped(args[0], lambda value: rounded(value, args[1] if len(args) > 1 else 1.0)),
    **{name: _calendar(function) for name, function in CALENDAR.items()},
    **{name: _mathematics(function) for name, function in MATHEMATICS.items()},
}

KNOWN: Final = frozenset(OVER_RANGES) | frozenset(OVER_VALUES) | {"absent", "absent_over_time"}
"""Every function that can be evaluated; native histograms' are not among them."""
