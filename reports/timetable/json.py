"""Timetables as JSON: everything they hold, under the names of ``sim.timetable``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sim.timetable import Exposure, Refused, Timetable

FORMAT = 1


def timetables_json(found: Sequence[Timetable | Refused]) -> str:
    """An indented JSON object with one entry for each; equal timetables give equal text."""
    return json.dumps({"format": FORMAT, "plans": [_data(one) for one in found]}, indent=2, ensure_ascii=False)


def _data(found: Timetable | Refused) -> dict[str, Any]:
    if isinstance(found, Refused):
        return {"subject": found.subject, "rejected": {"by": found.actor, "reason": found.reason}}
    data = asdict(found)
    for gate, one in zip(data["gates"], found.gates, strict=True):
        gate["exposure"] = _exposure(one.exposure)
        gate["exposure_with_traffic"] = _exposure(one.exposure_with_traffic)
    return {**data, "rejected": None}


def _exposure(found: Exposure) -> dict[str, Any]:
    at = [{"weight": weight, "seconds": seconds} for weight, seconds in found.at]
    return {"at": at, "full_traffic_s": round(found.full_traffic_s, 3)}
