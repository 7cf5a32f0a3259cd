"""What a rollout will do, worked out before anything is simulated: no dice, no traffic, no simulator.

The decisions of ``sim.decide`` are walked through in worlds where every delay has its least or its greatest length. What
the walks come to is a ``Timetable``: steps with their earliest and latest ends, pods and weights, gates and peaks.
"""

from sim.timetable.plan import Refused, plan
from sim.timetable.rows import short_list
from sim.timetable.values import (
    Ability,
    Exposure,
    Gate,
    Instant,
    Peak,
    Phase,
    Point,
    Relief,
    Row,
    Timetable,
)

__all__ = [
    "Ability",
    "Exposure",
    "Gate",
    "Instant",
    "Peak",
    "Phase",
    "Point",
    "Refused",
    "Relief",
    "Row",
    "Timetable",
    "plan",
    "short_list",
]
