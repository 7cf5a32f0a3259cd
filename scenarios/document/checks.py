"""What no single field can say of itself: sums, references, order, and work nobody would wait for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isclose

from scenarios.document.offered import is_per_pod
from scenarios.document.schema import Written
from scenarios.findings import Path
from sim.model.behaviour import Release
from sim.model.manifests import ManifestSet
from sim.model.operations import Command, Operation
from sim.model.strategy import ArgoRollout, Geographic, RollingUpdate, Strategy, SwitchScript

Problem = tuple[Path, str, str]
MOST_REQUESTS = 2e9
MOST_SAMPLES = 500_000
"""Minutes of one core; beyond them a run is surely a slip of the pen."""

_DRAWN_FROM: Mapping[str, tuple[str, ...]] = {
    "release": ("releases",),
    "traffic": ("strategy", "manifests"),
    "manifests": ("strategy",),
    "strategy": ("manifests",),
    "delivery": ("manifests",),
    "operations": ("strategy", "releases", "manifests"),
}
"""Other parts of the scenario that a problem of a part may come from."""


def stands(problem: Path, failed: Iterable[Path]) -> bool:
    """Whether a problem does not come from what has already been found wrong with single fields.

    Items of a list count as the list, since one that is invalid is missing in the draft that is looked at.
    """
    sources = [_list(problem), *((root,) for root in _DRAWN_FROM.get(str(problem[0]), ()))]
    return not any(_related(source, _list(path)) for source in sources for path in failed)


def _list(path: Path) -> Path:
    end = next((index for index, part in enumerate(path) if isinstance(part, int)), len(path))
    return path[:end]


def _related(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def problems(
    written: Written, mix: tuple[Release, ...], objects: ManifestSet, kinds: Sequence[str] = ()
) -> Iterator[Problem]:
    """Every problem between fields, with a suggestion where there is one; ``kinds`` are those of all objects read."""
    yield from _release_mix(written, mix)
    yield from _lengths(written)
    yield from _shares(written, mix)
    yield from _rates(written)
    yield from _work(written)
    yield from _strategy(written.strategy, objects) if written.strategy else _workload(objects, kinds)
    yield from _operations(written, mix, objects)
    yield from _application(written.delivery.application, objects)


def _release_mix(written: Written, mix: tuple[Release, ...]) -> Iterator[Problem]:
    names = [item.name for item in mix]
    if len(set(names)) != len(names):
        yield ("releases",), "two releases have the same name", ""
    total = sum(item.share for item in mix)
    if mix and not isclose(total, 1.0, abs_tol=1e-6):
        yield ("releases",), f"shares must sum to 100% (got {total:.6g} of 1)", ""
    if mix and written.release not in names:
        yield ("release",), f"no release is named {written.release!r}", "named here: " + ", ".join(names)


def _lengths(written: Written) -> Iterator[Problem]:
    prometheus, datadog = written.telemetry.prometheus, written.telemetry.datadog
    positive: tuple[tuple[Path, float], ...] = (
        (("horizon",), written.horizon_s),
        (("telemetry", "sample_interval"), written.telemetry.sample_interval_s),
        (("telemetry", "prometheus", "scrape_interval"), prometheus.scrape_interval_s),
        (("telemetry", "datadog", "flush_interval"), datadog.flush_interval_s),
        (("telemetry", "datadog", "bucket"), datadog.bucket_s),
        (("telemetry", "datadog", "duration_unit"), datadog.duration_unit_s),
        *((("traffic", "stages", i, "duration"), stage.duration_s) for i, stage in enumerate(written.traffic.stages)),
    )
    for path, seconds in positive:
        if seconds <= 0:
            yield path, f"must be longer than 0s (got {seconds:g}s)", ""
    if list(prometheus.buckets_s) != sorted(set(prometheus.buckets_s)):
        yield ("telemetry", "prometheus", "buckets"), "must ascend without repeats", ""


def _shares(written: Written, mix: tuple[Release, ...]) -> Iterator[Problem]:
    for path, statuses in (
        (("stable", "statuses"), written.stable.statuses),
        *((("releases", index, "behaviour", "statuses"), item.behaviour.statuses) for index, item in enumerate(mix)),
    ):
        if sum(share for _, share in statuses) > 1 + 1e-9:
            yield path, "shares must not sum to more than 100%", ""
    if sum(share for _, _, share in written.client.headers) > 1 + 1e-9:
        yield ("client", "headers"), "shares must not sum to more than 100%", ""
    if sum(one.share for one in written.traffic.classes) > 1 + 1e-9:
        yield ("traffic", "classes"), "shares must not sum to more than 100%", ""
    for index, one in enumerate(written.traffic.classes):
        if not one.path.startswith("/"):
            yield ("traffic", "classes", index, "path"), f"must begin with / (got {one.path!r})", ""
        if one.in_mesh and one.gateway:
            yield ("traffic", "classes", index, "gateway"), "requests from inside the mesh enter by no gateway", ""


def _rates(written: Written) -> Iterator[Problem]:
    if written.strategy and is_per_pod(written.traffic):  # what is still a pod's has found no workload
        message = "a rate for each pod needs a strategy that releases one Rollout or Deployment"
        yield ("traffic", "stages"), message, "write the rate of all requests, such as rate: 200"


def _work(written: Written) -> Iterator[Problem]:
    span_s = written.warm_up_s + written.horizon_s
    peak = max(stage.rate_rps for stage in written.traffic.stages)
    extra_s = sum(max(0.0, item.factor - 1) * min(item.duration_s, span_s) for item in written.traffic.bursts)
    requests = peak * (span_s + extra_s)
    if requests > MOST_REQUESTS:
        yield (
            ("traffic", "stages"),
            f"up to {requests:.2g} requests would be simulated (at most {MOST_REQUESTS:.0e})",
            "lower the rate, the bursts or the horizon",
        )
    telemetry = written.telemetry
    for path, interval_s in (
        (("telemetry", "sample_interval"), telemetry.sample_interval_s),
        (("telemetry", "prometheus", "scrape_interval"), telemetry.prometheus.scrape_interval_s),
        (("telemetry", "datadog", "flush_interval"), telemetry.datadog.flush_interval_s),
    ):
        if 0 < interval_s < span_s / MOST_SAMPLES:
            message = f"would be reached {span_s / interval_s:.2g} times before the horizon (at most {MOST_SAMPLES})"
            yield path, message, "lengthen the interval or lower the horizon"


def _strategy(strategy: Strategy | None, objects: ManifestSet) -> Iterator[Problem]:
    if isinstance(strategy, Geographic):
        total = sum(region.share for phase in strategy.phases for region in phase.regions)
        if total > 1 + 1e-6:
            yield ("strategy", "phases"), f"the regions' shares sum to {total:.6g}, more than 100%", ""
        strategy = strategy.inner
    yield from _reference(strategy, objects)


def _operations(written: Written, mix: tuple[Release, ...], objects: ManifestSet) -> Iterator[Problem]:
    """Commands are for Rollouts; each needs what it acts on and knows nothing else."""
    strategy = written.strategy.inner if isinstance(written.strategy, Geographic) else written.strategy
    operated = isinstance(strategy, ArgoRollout) or (strategy is None and bool(objects.rollouts))
    if written.operations and not operated:
        yield ("operations",), "only a Rollout can be operated", "choose strategy: {kind: argo-rollout, ...}"
    if written.first_deploy and isinstance(strategy, SwitchScript):
        yield ("first_deploy",), "a switch needs a version to switch from", ""
    for index, operation in enumerate(written.operations):
        path: Path = ("operations", index)
        yield from _own_fields(path, operation)
        if operation.at_s > written.horizon_s:
            yield (*path, "at"), "comes after the horizon", "lengthen the horizon"
        if operation.do is Command.APPLY and operation.release not in [item.name for item in mix]:
            named = ", ".join(item.name for item in mix) or "none"
            yield (*path, "release"), f"no release is named {operation.release!r}", f"named here: {named}"
        if operation.do is Command.SCALE and operation.replicas is None:
            yield path, "scale needs replicas", "write how many, such as replicas: 5"


def _own_fields(path: Path, operation: Operation) -> Iterator[Problem]:
    written = {
        "revision": (operation.revision is not None, Command.UNDO),
        "release": (bool(operation.release), Command.APPLY),
        "replicas": (operation.replicas is not None, Command.SCALE),
        "analysis": (operation.analysis is not None, Command.TERMINATE),
    }
    for name, (is_written, owner) in written.items():
        if is_written and operation.do is not owner:
            yield (*path, name), f"only {owner} knows it, not {operation.do}", ""


def _application(name: str, objects: ManifestSet) -> Iterator[Problem]:
    """An Application that exists, unless an ApplicationSet may generate it."""
    known = [item.name for item in objects.applications]
    if name and name not in known and not objects.application_sets:
        yield ("delivery", "application"), f"no Application {name!r} in the manifests", _known(known)


def _reference(strategy: Strategy | None, objects: ManifestSet) -> Iterator[Problem]:
    rollouts = [item.name for item in objects.rollouts]
    deployments = [item.name for item in objects.deployments]
    services = [item.name for item in objects.virtual_services]
    match strategy:
        case ArgoRollout(rollout=name) if name not in rollouts:
            yield ("strategy", "rollout"), f"no Rollout {name!r} in the manifests", _known(rollouts)
        case RollingUpdate(deployment=name) if name not in deployments:
            yield ("strategy", "deployment"), f"no Deployment {name!r} in the manifests", _known(deployments)
        case SwitchScript(virtual_service=name) if name not in services:
            yield ("strategy", "virtual_service"), f"no VirtualService {name!r} in the manifests", _known(services)
        case SwitchScript(colors=colors) if len(set(colors)) != 2:
            yield ("strategy", "colors"), "must be two different names", ""
        case _:
            return


def _workload(objects: ManifestSet, kinds: Sequence[str]) -> Iterator[Problem]:
    """Whether it is plain what is released where no strategy says so."""
    rollouts, deployments = ({item.name for item in found} for found in (objects.rollouts, objects.deployments))
    if not rollouts and not deployments:
        message = "no Rollout and no Deployment was read"
        counted = ", ".join(f"{number} {kind}" for kind, number in sorted(Counter(kinds).items()))
        only = f"{message}, only {counted}" if counted else message
        yield ("manifests",), only, "name the files or folders that hold them; rolltwin check judges other objects too"
    elif len(rollouts) > 1:
        message = f"{len(rollouts)} Rollouts were read: {', '.join(sorted(rollouts))}; which one is released?"
        yield ("strategy",), message, "name it: --rollout NAME, or strategy in a scenario file"
    elif not rollouts and len(deployments) > 1:
        message = f"{len(deployments)} Deployments were read: {', '.join(sorted(deployments))}; which one is released?"
        yield ("strategy",), message, 'name it: --set "strategy={kind: rolling-update, deployment: NAME}"'


def _known(names: list[str]) -> str:
    return "read: " + ", ".join(names) if names else "none was read"
