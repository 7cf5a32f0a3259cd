"""What is applied to the cluster for one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.cluster.objects import Object
from harness.deploy.choosing import chosen
from harness.deploy.objects import Settling
from harness.deploy.pods import Pods, Room, Version, versions
from harness.deploy.target import Notes, Target
from harness.monitoring.labels import telemetry_of
from scenarios.document import Loaded
from scenarios.manifests import Document
from scenarios.manifests.build.reading import integer, mapping, text
from scenarios.manifests.schema import pruned
from sim.model.manifests import ManifestSet
from sim.model.pods import AntiAffinity

_ARGO, _ISTIO, _INGRESS = "argoproj.io/", "networking.istio.io/", "networking.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Plan:
    """Every object of the scenario as it is applied.

    ``workload`` is the Rollout or Deployment that is released (for a switch script the idle colour's Deployment), with
    the stable version's pod template; ``release_template`` is the candidate's. Both are empty where there is no such
    object. ``others`` are the remaining objects (Services, VirtualServices, DestinationRules, AnalysisTemplates,
    bystanding Deployments ...), in order of application.
    """

    workload: Object
    release_template: Object
    others: tuple[Object, ...]
    adaptations: tuple[str, ...]
    """What had to be changed and why, one sentence each; stated in every report."""


def plan(loaded: Loaded, target: Target) -> Plan:
    """The scenario's objects for one namespace, with the application under test in every pod.

    Fields that the API server would refuse are left out, as the twin reads them too; whether that refuses the release is
    the rejection's matter. What the controller refuses stays as it is written.
    """
    return _Planning(loaded, target).plan()


class _Planning:
    def __init__(self, loaded: Loaded, target: Target) -> None:
        self._scenario = loaded.scenario
        self._target = target
        self._notes = Notes()
        self._chosen = chosen(loaded.scenario)
        self._documents = _last_ones(loaded.documents.objects, self._home(loaded.scenario.manifests), self._notes)
        former = {one.namespace or "default" for one in loaded.documents.objects}
        self._settling = Settling(target.namespace, former, self._notes)
        self._services = [self._settling.service(self._data(one)) for one in self._of("Service")]
        room = Room.of(loaded.scenario, target)
        self._pods = Pods(target, room, self._notes, self._services)
        self._stable, self._candidate = versions(loaded.scenario, telemetry_of(loaded))
        self._share = self._shrunk(loaded.scenario.manifests)

    def plan(self) -> Plan:
        """See ``plan``."""
        workload = self._workload(self._stable)
        others = tuple(self._others())
        self._note_left_out(others)
        release = self._workload(self._candidate)
        template = mapping(release, "spec", "template")
        return Plan(workload, template, others, self._notes.sentences)

    def _home(self, manifests: ManifestSet) -> str:
        """The released workload's namespace."""
        found = self._chosen
        specs = manifests.rollouts if found.kind == "Rollout" else manifests.deployments
        return next((one.namespace for one in specs if one.name == found.name), "default")

    def _of(self, kind: str, group: str = "") -> list[Document]:
        return [one for one in self._documents if one.kind == kind and one.api_version.startswith(group)]

    def _data(self, document: Document) -> Object:
        """What is written, less what the API server would refuse."""
        refusal = self._scenario.manifests.refusal(document.kind, document.name)
        if refusal is not None:
            self._notes.add(
                _owner(document),
                f"the API server would refuse it; the fields in question are left out ({refusal.message})",
            )
        return pruned(document)

    def _workload(self, version: Version) -> Object:
        found = next((one for one in self._of(self._chosen.kind) if one.name == self._chosen.name), None)
        if found is None:
            return {}
        return self._rollout(found, version) if found.kind == "Rollout" else self._deployment(found, version)

    def _deployment(self, document: Document, version: Version) -> Object:
        data = self._data(document)
        spec = self._sized(mapping(data, "spec"))
        template = self._pods.template(mapping(spec, "template"), version, _owner(document))
        return self._settling.head(data) | {"spec": spec | {"template": template}}

    def _rollout(self, document: Document, version: Version) -> Object:
        data = self._data(document)
        spec = self._resolved(self._settling.rollout_routes(self._sized(mapping(data, "spec"))), document)
        rules = [
            one
            for rollout in self._scenario.manifests.rollouts
            if rollout.name == document.name
            for one in _rules(rollout)
        ]
        if AntiAffinity.REQUIRED in rules:
            self._notes.add(_owner(document), "antiAffinity is kept, so that pods of two revisions never share a node")
        template = self._pods.template(mapping(spec, "template"), version, _owner(document))
        return self._settling.head(data) | {"spec": spec | {"template": template}}

    def _resolved(self, spec: Object, document: Document) -> Object:
        """The template of the Deployment that ``workloadRef`` names, in its place."""
        named = next((one for one in self._of("Deployment") if one.name == self._chosen.template_of), None)
        if named is None or "template" in spec:
            return spec
        self._notes.add(_owner(document), f"the template of {_owner(named)} stands in for workloadRef")
        other = mapping(self._data(named), "spec")
        kept = {key: value for key, value in spec.items() if key != "workloadRef"}
        return {"selector": mapping(other, "selector")} | kept | {"template": mapping(other, "template")}

    def _sized(self, spec: Object) -> Object:
        written = integer(spec, "replicas")
        if self._share >= 1 or not written:
            return spec
        return spec | {"replicas": max(1, round(written * self._share))}

    def _shrunk(self, manifests: ManifestSet) -> float:
        """Share of the replicas that are kept."""
        found = self._chosen
        named = (
            next((one.desired for one in manifests.rollouts if one.name == found.name), 0)
            if found.kind == "Rollout"
            else next((one.replicas for one in manifests.deployments if one.name == found.name), 0)
        )
        if self._target.pods is None or named <= self._target.pods:
            return 1.0
        self._notes.add("", f"{self._target.pods} replicas in place of {named}, other workloads in proportion")
        return self._target.pods / named

    def _others(self) -> Iterator[Object]:
        settling = self._settling
        yield from (settling.plain(self._data(one)) for one in self._secrets())
        yield from self._services
        yield from (settling.destination_rule(self._data(one)) for one in self._of("DestinationRule", _ISTIO))
        yield from (settling.virtual_service(self._data(one)) for one in self._of("VirtualService", _ISTIO))
        yield from (settling.plain(self._data(one)) for one in self._of("Ingress", _INGRESS))
        yield from self._templates()
        for name in dict.fromkeys(self._chosen.beside):
            yield from (self._deployment(one, self._stable) for one in self._of("Deployment") if one.name == name)

    def _templates(self) -> Iterator[Object]:
        own = self._of("AnalysisTemplate", _ARGO)
        names = {one.name for one in own}
        for one in (*own, *self._of("ClusterAnalysisTemplate", _ARGO)):
            if one.kind == "ClusterAnalysisTemplate" and one.name in names:
                self._notes.add(_owner(one), "left out, an AnalysisTemplate has its name")
            else:
                yield self._settling.template(self._data(one))

    def _secrets(self) -> Iterator[Document]:
        """Secrets that arguments of analyses are taken from."""
        templates = self._scenario.manifests.analysis_templates
        named = {argument.secret.name for one in templates for argument in one.args if argument.secret is not None}
        yield from (one for one in self._of("Secret") if one.name in named)

    def _note_left_out(self, others: Iterable[Mapping[str, Any]]) -> None:
        applied = {(one["kind"], text(one, "metadata", "name")) for one in others}
        applied |= {("ClusterAnalysisTemplate", name) for kind, name in applied if kind == "AnalysisTemplate"}
        applied |= {(self._chosen.kind, self._chosen.name), ("Deployment", self._chosen.template_of)}
        for one in self._documents:
            if (one.kind, one.name) not in applied:
                why = (
                    "no client reaches its pods"
                    if one.kind in {"Deployment", "Rollout"}
                    else "the twin does not read it, or it has no part in the release"
                )
                self._notes.add(_owner(one), f"left out, {why}")


def _last_ones(documents: Iterable[Document], home: str, notes: Notes) -> list[Document]:
    """Of objects of one kind and name the one of the workload's namespace, else the last one; as one namespace can hold."""
    found: dict[tuple[str, str, str], Document] = {}
    for one in documents:
        if not one.name:
            continue
        key = (one.group, one.kind, one.name)
        before = found.get(key)
        same = before is None or (before.namespace or "default") == (one.namespace or "default")
        if same or (one.namespace or "default") == home:
            found[key] = one
        if not same:
            notes.add(_owner(one), "there are several, in different namespaces; the released workload's counts")
    return list(found.values())


def _rules(rollout: Any) -> tuple[AntiAffinity, ...]:
    strategy = rollout.canary or rollout.blue_green
    return strategy.anti_affinity if strategy is not None else ()


def _owner(document: Document) -> str:
    return f"{document.kind}/{document.name}"
