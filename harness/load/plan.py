"""What to send: a scenario's traffic as the file that Locust's process reads. Standard library and the model only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from math import ceil, inf, nextafter
from pathlib import Path
from typing import Any, Final

from sim.model.load import Burst, Client, Diurnal, LoadShape, RequestClass, Stage, request_classes
from sim.model.scenario import Scenario

SOURCE_RPS: Final = 25.0
"""Most requests/s of one source: a greenlet that sleeps between arrivals keeps its times at that rate easily."""
AHEAD_S: Final = 10.0
"""Sources are there this long before the rate needs them."""
_STEP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """Requests per second over time, split over sources; t = 0 is when the release is applied."""

    load: LoadShape
    client: Client
    classes: tuple[RequestClass, ...]
    """With shares that sum to 1."""
    seed: int
    sources: tuple[tuple[float, int], ...]
    """(from second, number of sources), never falling; each has the rate divided by their number."""
    bound_rps: float
    """No source's rate is ever above this."""
    share: float = 1.0
    """Of the offered traffic: a region's."""
    region: str = ""
    """Each has arrivals of its own."""
    warm_up_s: float = 0.0
    until_s: float = inf
    """Nobody calls from then on, and Locust ends; without it, it goes on until it is stopped."""
    host: str = ""
    """``Host`` of the requests whose class names none; '' is the address itself."""
    grace_s: float = 0.5
    """The gateway ends a client's patience, so that it is known whom the client waited for; the client itself gives up
    this much later. 0 where no gateway does."""
    max_in_flight: int = 500
    """Requests under way; what is due beyond is counted as overflow and not sent."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of every request."""

    def rate_rps(self, t_s: float) -> float:
        """What all sources together send, requests/s."""
        return self.share * self.load.rate_rps(max(t_s, 0.0)) if t_s < self.until_s else 0.0

    def sources_at(self, t_s: float) -> int:
        """How many sources share the rate."""
        number = self.sources[0][1]
        for start, count in self.sources:
            if start <= t_s:
                number = count
        return number


def plan_of(  # noqa: PLR0913 - what a region's run knows beyond its scenario
    scenario: Scenario,
    seed: int,
    *,
    share: float = 1.0,
    region: str = "",
    host: str = "",
    classes: tuple[RequestClass, ...] = (),
    grace_s: float = 0.5,
    max_in_flight: int = 500,
    watch_s: float = 0.0,
) -> LoadPlan:
    """The traffic of a scenario, looked at until ``watch_s`` (at least the tail) beyond its horizon.

    ``classes`` other than its own only where the caller knows better who calls.
    """
    load, until_s = scenario.load, scenario.horizon_s + max(scenario.tail_s, watch_s)
    sources = tuple(sources_of(load, share, -scenario.warm_up_s, until_s))
    return LoadPlan(
        load=load,
        client=scenario.client,
        classes=classes or request_classes(load, scenario.client),
        seed=seed,
        sources=sources,
        bound_rps=_bound_rps(load, share, sources, -scenario.warm_up_s, until_s),
        share=share,
        region=region,
        warm_up_s=scenario.warm_up_s,
        host=host,
        grace_s=grace_s,
        max_in_flight=max_in_flight,
    )


def sources_of(load: LoadShape, share: float, start_s: float, until_s: float) -> Iterator[tuple[float, int]]:
    """From when on how many sources are wanted: as many as the highest rate until ``AHEAD_S`` later takes."""
    number = 0
    for t_s in instants(load, start_s, until_s):
        wanted = max(1, ceil(share * load.rate_rps(max(t_s, 0.0)) / SOURCE_RPS))
        if wanted > number:
            number = wanted
            yield max(start_s, t_s - AHEAD_S), number


def instants(load: LoadShape, start_s: float, until_s: float) -> Iterator[float]:
    """Instants between which the rate moves little: whole steps, and both sides of every corner, in order."""
    corners = set[float]()
    end = 0.0
    for stage in load.stages:
        end += stage.duration_s
        corners |= {end, nextafter(end, -inf)}
    for burst in load.bursts:
        end = burst.start_s + burst.duration_s
        corners |= {burst.start_s, end, nextafter(end, -inf)}
    steps = {start_s + k * _STEP_S for k in range(ceil((until_s - start_s) / _STEP_S) + 1)}
    yield from sorted(t for t in corners | steps | {until_s} if start_s <= t <= until_s)


def _bound_rps(
    load: LoadShape, share: float, sources: tuple[tuple[float, int], ...], start_s: float, until_s: float
) -> float:
    """A bound on one source's rate: the highest at any instant looked at, and a hundredth for those between."""
    bare = LoadPlan(load, Client(), (), 0, sources, 0.0, share, until_s=inf)
    rates = (bare.rate_rps(t) / bare.sources_at(t) for t in instants(load, start_s, until_s))
    return 1.01 * max(rates, default=0.0)


def write(plan: LoadPlan, path: Path, **more: Any) -> None:
    """The plan, and what else Locust's process must know, as a JSON file."""
    path.write_text(json.dumps({"plan": asdict(plan), **more}, allow_nan=True), encoding="utf-8")


def read(path: Path) -> tuple[LoadPlan, dict[str, Any]]:
    """What ``write`` wrote."""
    more = json.loads(path.read_text(encoding="utf-8"))
    plan = more.pop("plan")
    client, classes, sources = plan.pop("client"), plan.pop("classes"), plan.pop("sources")
    made = LoadPlan(
        load=_load(plan.pop("load")),
        client=Client(**client | {"retry_on": tuple(client["retry_on"]), "headers": ()}),
        classes=tuple(_request_class(one) for one in classes),
        sources=tuple((start, number) for start, number in sources),
        **plan,
    )
    return made, more


def _load(data: dict[str, Any]) -> LoadShape:
    """Without the classes: the plan's own are complete."""
    return LoadShape(
        stages=tuple(Stage(**one) for one in data["stages"]),
        diurnal=Diurnal(**data["diurnal"]) if data["diurnal"] else None,
        bursts=tuple(Burst(**one) for one in data["bursts"]),
    )


def _request_class(data: dict[str, Any]) -> RequestClass:
    pairs = {name: tuple((key, value) for key, value in data[name]) for name in ("headers", "labels")}
    return RequestClass(**data | pairs)
