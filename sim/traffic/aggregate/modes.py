"""Which data plane a run gets."""

from __future__ import annotations

from typing import Final

from sim.model.data_plane import DataPlaneMode
from sim.model.scenario import Scenario
from sim.traffic.aggregate.mixed import MixedPlane
from sim.traffic.arrivals import peak_rps
from sim.traffic.interface import Plane
from sim.traffic.plane import DataPlane
from sim.traffic.values import Streams

FEW_RPS: Final = 100.0
"""Below this every request is as cheap as the aggregate."""


def plane_of(scenario: Scenario, streams: Streams, share: float) -> Plane:
    """The data plane of one region's run, at the start of the warm-up."""
    load, mode = scenario.load, scenario.data_plane
    few = share * peak_rps(load) < FEW_RPS
    buckets_s = scenario.telemetry.prometheus.buckets_s
    proxies = scenario.cluster.proxies
    if load.is_silent or mode is DataPlaneMode.EXACT or (mode is DataPlaneMode.AUTO and few):
        return DataPlane(
            load,
            scenario.client,
            streams,
            start_s=-scenario.warm_up_s,
            share=share,
            buckets_s=buckets_s,
            proxies=proxies,
        )
    return MixedPlane(
        load,
        scenario.client,
        streams,
        start_s=-scenario.warm_up_s,
        share=share,
        buckets_s=buckets_s,
        proxies=proxies,
        mode=mode,
    )
