"""What a scenario assumes that its manifests do not say: the first thing a reader should doubt."""

from __future__ import annotations

from sim.model.behaviour import Delay, Shape, VersionBehaviour
from sim.model.scenario import Scenario
from sim.model.units import duration_text


def assumptions(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    """(name, value) in words."""
    load, client, people, cluster = scenario.load, scenario.client, scenario.people, scenario.cluster
    rates = ", ".join(f"{stage.rate_rps:g}/s for {duration_text(stage.duration_s)}" for stage in load.stages)
    timeout = "none" if client.timeout_s is None else duration_text(client.timeout_s)
    return (
        ("Offered load", f"{rates}; the last rate goes on{'; with a day curve' if load.diurnal else ''}"),
        (
            "Clients",
            f"give up after {timeout}, retry {_times(client.retries)} on {', '.join(map(str, client.retry_on)) or 'nothing'}",
        ),
        ("Stable version", _behaviour(scenario.stable)),
        *(
            (f"Release {r.name!r} ({'good' if r.good else 'bad'}, {100 * r.share:g} %)", _behaviour(r.behaviour))
            for r in scenario.mix
        ),
        ("Approval of an open-ended pause", _delay(people.approve)),
        ("From page to command", f"{_delay(people.notice)} + {_delay(people.decide)} + {_delay(people.act)}"),
        ("Users' reports where no alert fires", _delay(people.report)),
        (
            "Cluster",
            f"{cluster.nodes} nodes; image pull {_delay(cluster.image_pull)}",
        ),
        ("Availability objective", f"{100 * scenario.slo:g} % over 30 days"),
        ("Watched after the rollout's end", duration_text(scenario.tail_s)),
        ("Given up as stuck after", duration_text(scenario.horizon_s)),
    )


def _behaviour(version: VersionBehaviour) -> str:
    errors = ", ".join(f"{100 * share:g} % answered {status}" for status, share in version.statuses) or "no errors"
    faults = f"; {len(version.faults)} fault{'s' if len(version.faults) > 1 else ''}" if version.faults else ""
    return f"service time {_delay(version.service_time)}, {errors}{faults}"


def _delay(delay: Delay | None) -> str:
    if delay is None:
        return "never"
    if delay.shape is Shape.CONSTANT or not delay.median_s:
        return duration_text(delay.median_s)
    return f"{duration_text(delay.median_s)} (median, {delay.shape.value})"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
