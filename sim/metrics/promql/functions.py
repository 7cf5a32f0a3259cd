"""PromQL's functions by name: over windows (range vectors) and over values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from sim.metrics.promql import overtime, ranking, rates, relabel
from sim.metrics.promql.histogram import histogram_fraction, histogram_quantile, histogram_quantiles
from sim.metrics.promql.scalars import CALENDAR, MATHEMATICS, clamped, greatest, least, rounded
from sim.metrics.promql.values import EMPTY, Context, Value, Vector, each, sample

Arguments = list[Any]
"""Evaluated arguments, whose types the parser has checked against the function's signature."""
Function = Callable[[Arguments, Context], Value]

OVER_RANGES: Final[dict[str, Function]] = {
    "rate": lambda args, context: rates.extrapolated(args[0], context, counter=True, per_second=True),
    "increase": lambda args, context: rates.extrapolated(args[0], context, counter=True, per_second=False),
    "delta": lambda args, context: rates.extrapolated(args[0], context, counter=False, per_second=False),
    "irate": lambda args, context: rates.instant_change(args[0], context, counter=True),
    "idelta": lambda args, context: rates.instant_change(args[0], context, counter=False),
    "quantile_over_time": lambda args, context: overtime.quantiles(args[0], args[1], context),
    "deriv": lambda args, context: overtime.slopes(args[0], context),
    "predict_linear": lambda args, context: overtime.predictions(args[0], args[1], context),
    "double_exponential_smoothing": lambda args, context: overtime.smoothed(args[0], args[1], args[2], context),
}


def _plain(function: overtime.Function) -> Function:
    return lambda args, context: Vector(context.dropped(args[0].rows), function(args[0]))


def _named(function: overtime.Function) -> Function:
    return lambda args, _: Vector(args[0].rows, function(args[0]))


OVER_RANGES.update({name: _plain(function) for name, function in overtime.PLAIN.items()})
OVER_RANGES.update({name: _named(function) for name, function in overtime.NAMED.items()})


def _clamped(vector: Vector, low: float, high: float, context: Context) -> Vector:
    if high < low:
        return Vector(EMPTY, np.zeros(0))
    return vector.mapped(clamped(vector.values, low, high), context)


def _ordered(vector: Vector, order: list[int]) -> Vector:
    indices = np.array(order, dtype=np.int64)
    return Vector(vector.rows.take(indices), vector.values[indices])


def _sorted(vector: Vector, *, descending: bool) -> Vector:
    return _ordered(vector, ranking.by_value(vector.numbers(), descending=descending))


def _sorted_by_label(args: Arguments, *, descending: bool) -> Vector:
    vector, *names = args
    return _ordered(vector, ranking.by_labels(vector.rows.labels, names, descending=descending))


def _scalar(vector: Vector) -> float:
    return float(vector.values[0]) if len(vector.rows) == 1 else math.nan


def _calendar(function: Callable[[float], float]) -> Function:
    def call(args: Arguments, context: Context) -> Vector:
        if not args:
            return sample(function(context.at_ms // 1000))
        return each(args[0], function, context)

    return call


def _mathematics(name: str) -> Function:
    return lambda args, context: args[0].mapped(MATHEMATICS[name](args[0].values), context)


def _round(args: Arguments, context: Context) -> Vector:
    vector: Vector
    vector, *nearest = args
    return vector.mapped(rounded(vector.values, *nearest or [1.0]), context)


def _timestamps(vector: Vector, context: Context) -> Vector:
    return vector.mapped(np.full(len(vector.rows), context.at_ms / 1000.0), context)


OVER_VALUES: Final[dict[str, Function]] = {
    "histogram_quantile": lambda args, context: histogram_quantile(args[0], args[1], context),
    "histogram_fraction": lambda args, context: histogram_fraction(args[0], args[1], args[2], context),
    "histogram_quantiles": lambda args, context: histogram_quantiles(args[0], args[1], args[2:], context),
    "label_replace": lambda args, context: relabel.label_replace(args[0], args[1:], context),
    "label_join": lambda args, context: relabel.label_join(args[0], args[1], args[2], args[3:], context),
    "scalar": lambda args, _: _scalar(args[0]),
    "vector": lambda args, _: sample(args[0]),
    "time": lambda _, context: context.at_ms / 1000.0,
    "pi": lambda _, __: math.pi,
    "start": lambda _, context: context.start_ms / 1000.0,
    "end": lambda _, context: context.end_ms / 1000.0,
    "range": lambda _, context: (context.end_ms - context.start_ms) / 1000.0,
    "step": lambda _, context: context.step_ms / 1000.0,
    "min_of": lambda args, _: float(least(*map(np.array, args))),
    "max_of": lambda args, _: float(greatest(*map(np.array, args))),
    "timestamp": lambda args, context: _timestamps(args[0], context),
    "sort": lambda args, _: _sorted(args[0], descending=False),
    "sort_desc": lambda args, _: _sorted(args[0], descending=True),
    "sort_by_label": lambda args, _: _sorted_by_label(args, descending=False),
    "sort_by_label_desc": lambda args, _: _sorted_by_label(args, descending=True),
    "clamp": lambda args, context: _clamped(args[0], args[1], args[2], context),
    "clamp_min": lambda args, context: _clamped(args[0], args[1], math.inf, context),
    "clamp_max": lambda args, context: _clamped(args[0], -math.inf, args[1], context),
    "round": _round,
    **{name: _calendar(function) for name, function in CALENDAR.items()},
    **{name: _mathematics(name) for name in MATHEMATICS},
}

FUNCTIONS: Final[dict[str, Function]] = OVER_RANGES | OVER_VALUES

KNOWN: Final = frozenset(FUNCTIONS) | {"absent", "absent_over_time", "info"}
"""Every function that can be evaluated; those of native histograms are not among them."""
SCALARS: Final = frozenset({"scalar", "time", "pi", "start", "end", "range", "step", "min_of", "max_of"})
"""Functions whose value is a scalar."""
