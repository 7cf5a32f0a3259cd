"""The inner strategy in one world per region, for a tour of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from sim.decide import tour
from sim.decide.rejections import Rejection
from sim.engine.local import Place, run_local
from sim.model.outcome import LocalResult
from sim.model.scenario import Scenario
from sim.model.strategy import Geographic, Region, RegionPhase
from sim.streams import RegionStreams


def run_phases(scenario: Scenario, strategy: Geographic, seed: int, refused: Rejection | None) -> LocalResult:
    """See ``sim.decide.tour.run_phases``; each region is simulated by itself."""

    def run_regions(phase: RegionPhase, regions: Sequence[Region], begun_s: float) -> Sequence[LocalResult]:
        del begun_s
        places = [Place(RegionStreams(seed, one.name), one.name, one.share, phase.soak_s) for one in regions]
        return [run_local(scenario, strategy.inner, place, refused) for place in places]

    return tour.run_phases(scenario, strategy, refused, run_regions)
