"""The data plane: arrivals, routing, exact queueing per pod, outcomes. Every request, one by one, in compiled loops."""

from sim.traffic.interface import Look, Observation, Plane, Samples, WindowSeries
from sim.traffic.plane import DataPlane
from sim.traffic.values import (
    NONE_GROUP,
    Balancing,
    Cluster,
    Handling,
    PodEffects,
    PodSample,
    Pool,
    Route,
    WindowCount,
)

__all__ = [
    "NONE_GROUP",
    "Balancing",
    "Cluster",
    "DataPlane",
    "Handling",
    "Look",
    "Observation",
    "Plane",
    "PodEffects",
    "PodSample",
    "Pool",
    "Route",
    "Samples",
    "WindowCount",
    "WindowSeries",
]
