"""Region by region on real clusters: regions of a phase at once as far as there are clusters, phases one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sim.decide import tour
from sim.decide.rejections import Rejection
from sim.model.outcome import LocalResult
from sim.model.scenario import Scenario
from sim.model.strategy import Geographic, Region, RegionPhase


@dataclass(frozen=True, slots=True)
class Visit:
    """One region's turn: run the inner strategy there, with the region's share of the traffic and its own streams.

    A promoted release is watched for ``phase.soak_s`` beyond the horizon; the rest of a soak is expected figures, as in
    the twin, and takes no real time.
    """

    phase: RegionPhase
    region: Region
    begun_s: float
    """On the tour's time axis; the visit's own rows count from its own apply."""
    cluster: int
    """Which of the clusters it has, from 0."""


RunRegion = Callable[[Visit], LocalResult]


@dataclass(frozen=True, slots=True)
class Tour:
    """Every region in its turn on ``clusters`` clusters; ``run_region`` is called from a thread for each cluster.

    Regions share clusters in turn, by their order in the scenario; those of one phase that share a cluster run one after
    the other there and are written down as if they had run at once: their worlds do not touch.
    """

    scenario: Scenario
    strategy: Geographic
    clusters: int
    run_region: RunRegion

    @property
    def adaptations(self) -> tuple[str, ...]:
        """What is otherwise than with a cluster for each region, one sentence each."""
        shared = len(self._names) - self.clusters
        if shared <= 0:
            return ()
        return (f"{len(self._names)} regions share {self.clusters} clusters; those of one phase take turns there",)

    def run(self, refused: Rejection | None = None) -> LocalResult:
        """The whole tour; an error in one region ends it once the others of its phase are through."""
        return tour.run_phases(self.scenario, self.strategy, refused, self._run_regions)

    @property
    def _names(self) -> list[str]:
        return [region.name for phase in self.strategy.phases for region in phase.regions if region.deployed]

    def _run_regions(self, phase: RegionPhase, regions: Sequence[Region], begun_s: float) -> Sequence[LocalResult]:
        visits = [Visit(phase, region, begun_s, self._cluster(region)) for region in regions]
        queues = [[one for one in visits if one.cluster == number] for number in range(self.clusters)]
        busy = [queue for queue in queues if queue]
        if not busy:
            return []
        with ThreadPoolExecutor(len(busy), thread_name_prefix="region") as pool:
            done = [pool.submit(self._run_queue, queue) for queue in busy]
            results = {name: result for future in done for name, result in future.result().items()}
        return [results[region.name] for region in regions]

    def _run_queue(self, queue: Sequence[Visit]) -> dict[str, LocalResult]:
        return {visit.region.name: self.run_region(visit) for visit in queue}

    def _cluster(self, region: Region) -> int:
        return self._names.index(region.name) % self.clusters if region.name in self._names else 0
