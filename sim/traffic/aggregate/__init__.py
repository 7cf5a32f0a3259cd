"""The data plane in aggregate: counts and latency histograms without a loop over requests, where their error is bounded.

Arrivals are Poisson and every pod draws its own, so the answers of a stretch are Poisson counts by latency, given how much queued in it;
queueing comes in clusters, whose sizes and depths are measured once by simulating each kind of pod request by request.
"""

from sim.traffic.aggregate.mixed import MixedPlane
from sim.traffic.aggregate.modes import plane_of

__all__ = ["MixedPlane", "plane_of"]
