"""The span of a template's ``rangeQuery``: expressions of time and a duration, as the controller reads them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from sim.metrics import conditions
from sim.model.analysis import RangeQuery
from sim.model.units import go_duration_s

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class RangeError(Exception):
    """A field that the controller cannot read, in its words (metricproviders/prometheus ``executeQuery``)."""


def range_of(ranged: RangeQuery, now_s: float) -> tuple[float, float, float]:
    """Start, end and step of a range query in seconds of the run; RangeError when one cannot be read.

    The run's second 0 is 1970-01-01T00:00Z to the expressions, as it is to PromQL.
    """
    now = _EPOCH + timedelta(seconds=now_s)
    found = []
    for name, text in (("start", ranged.start), ("end", ranged.end)):
        try:
            found.append((conditions.time_of(text, now) - _EPOCH).total_seconds())
        except conditions.ExprError as error:
            msg = f"failed to parse rangeQuery.{name} as time: {error}"
            raise RangeError(msg) from None
    try:
        return found[0], found[1], go_duration_s(ranged.step)
    except ValueError:
        msg = f"failed to parse rangeQuery.step as duration: time: invalid duration {json.dumps(ranged.step)}"
        raise RangeError(msg) from None
