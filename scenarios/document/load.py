"""From a path to a frozen ``Scenario``; every error of the file at once, as ``BadInput``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from types import MappingProxyType
from typing import Any

from scenarios import library, manifests
from scenarios.document import source as text
from scenarios.document.checks import problems, stands
from scenarios.document.fields import INVALID, Reader, nearest
from scenarios.document.limits import oversized
from scenarios.document.locust import plain, with_users
from scenarios.document.offered import for_all, pods_of
from scenarios.document.schema import BEHAVIOUR, DOCUMENT, RELEASE, Written
from scenarios.document.source import Place, Source
from scenarios.findings import BadInput, Finding, Path, Severity
from scenarios.manifests import Documents
from scenarios.rules import scripts
from scenarios.rules.context import Context
from scenarios.rules.rule import finding
from sim.model.behaviour import Release, VersionBehaviour
from sim.model.hashing import digest
from sim.model.manifests import ManifestSet
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, RollingUpdate, Strategy, kind_of

UNREADABLE = "RT005"
"""The loader's code for a file that cannot be read at all; broken YAML inside one is the cluster's to refuse."""


@dataclass(frozen=True)
class Origin:
    """What a scenario was read from: enough to read it again with something changed."""

    paths: tuple[File, ...] = ()
    overrides: tuple[str, ...] = ()
    crds: File | None = None
    bare: bool = False
    """Manifests in the packaged default world rather than a scenario file."""

    def again(self, overrides: Sequence[str] = (), texts: Mapping[File, str] = MappingProxyType({})) -> Loaded:
        """The same with more overrides and with these texts in place of what stands in manifest files; BadInput as ever."""
        source = _bare_source(self.paths, [*self.overrides, *overrides]) if self.bare else None
        return _complete(source or text.read(self.paths[0], [*self.overrides, *overrides]), self.crds, self, texts)


@dataclass(frozen=True)
class Loaded:
    """A scenario, the documents it was made of, and its identity."""

    scenario: Scenario
    documents: Documents
    file: str
    default_world: bool = False
    """Bare manifests, in the packaged default world."""
    unexposed: tuple[Finding, ...] = ()
    """Queries for metrics that the simulated cluster does not have."""
    notes: tuple[str, ...] = ()
    """What the traffic does not show of the Locust file that it comes from."""
    origin: Origin = field(default=Origin(), repr=False, compare=False)

    @property
    def hash(self) -> str:
        """Twelve hex digits: equal exactly for equal scenarios."""
        return digest(self.scenario)

    def with_release(self, name: str) -> Loaded:
        """The same with another kind of release; KeyError if there is none of that name."""
        release = {item.name: item for item in self.scenario.mix}[name]
        return dataclasses.replace(self, scenario=dataclasses.replace(self.scenario, release=release))


def is_scenario(path: File) -> bool:
    """Whether a file claims to be a scenario (its first lines hold ``schema:``)."""
    if not path.is_file() or path.suffix not in {".yaml", ".yml", ".json"}:
        return False
    try:
        head = path.read_text(encoding="utf-8", errors="replace")[:4000]
    except OSError:
        return False
    return any(line.startswith(("schema:", "extends:")) for line in head.splitlines())


def is_policy(path: File) -> bool:
    """Whether a file claims to be a policy, which names scenarios rather than being one."""
    return is_scenario(path) and any(
        line.startswith("schema: rolltwin-policy")
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
    )


def load(file: File, overrides: Sequence[str] = (), crds: File | None = None) -> Loaded:
    """The scenario at ``file`` with ``key=value`` overrides; BadInput with every error."""
    return Origin((file,), tuple(overrides), crds).again()


def from_manifests(paths: Sequence[File], overrides: Sequence[str] = (), crds: File | None = None) -> Loaded:
    """Bare manifests under the packaged default traffic, behaviours and people (``scenarios/library/default.yaml``)."""
    return Origin(tuple(paths), tuple(overrides), crds, bare=True).again()


def _bare_source(paths: Sequence[File], overrides: Sequence[str]) -> Source:
    source = text.read(library.DEFAULT, overrides)
    source.data["manifests"] = [path.name for path in paths]
    source.data.setdefault("title", ", ".join(readable(path.name) for path in paths))
    source.file = str(paths[0])
    # Whatever is wrong with the whole is wrong with what the user gave, not with the packaged file.
    source.places |= {(): Place(source.file, 1, 1), ("manifests",): Place(source.file, 1, 1)}
    source.places |= {("manifests", index): Place(str(path), 1, 1) for index, path in enumerate(paths)}
    return source


def read_many(paths: Sequence[File], overrides: Sequence[str] = (), crds: File | None = None) -> tuple[Loaded, ...]:
    """Scenario files one by one; any bare manifests among the paths together as one more scenario."""
    scenarios = [path for path in paths if is_scenario(path)]
    bare = [path for path in paths if not is_scenario(path)]
    loaded: list[Loaded] = []
    findings: list[Finding] = []
    for path in scenarios:
        try:
            loaded.append(load(path, overrides, crds))
        except BadInput as error:
            findings.extend(error.findings)
    if bare:
        try:
            loaded.append(from_manifests(bare, overrides, crds))
        except BadInput as error:
            findings.extend(error.findings)
    if findings:
        raise BadInput(findings)
    return tuple(loaded)


def _complete(source: Source, crds: File | None, origin: Origin, texts: Mapping[File, str]) -> Loaded:
    reader = Reader(source, [*source.findings])
    written = DOCUMENT.read(source.data, (), reader)
    mix = _releases(source, reader)
    documents = _documents(source, reader, crds, texts)
    objects = manifests.typed(documents)
    refused = [finding for finding in documents.findings if finding.code == UNREADABLE]
    draft = DOCUMENT.read(source.data, (), Reader(source, lenient=True)) if written is INVALID else written
    driven, notes = with_users(draft, source, objects, reader)
    written = driven if written is draft else plain(written)
    written, draft = _settled(written, objects), _settled(driven, objects)
    if draft is not INVALID:
        failed = [*(finding.path for finding in reader.findings), *([("manifests",)] if refused else [])]
        for path, message, suggestion in problems(draft, mix, objects, [item.kind for item in documents.objects]):
            if stands(path, failed):
                reader.fail(path, message, suggestion)
        refused += oversized(documents, draft.horizon_s)
    if not objects.rollouts and not objects.deployments:
        # Why nothing could be read is the better half of the message.
        refused += [item for item in documents.findings if item.severity is Severity.ERROR and item not in refused]
    if reader.findings or refused:
        raise BadInput((*reader.findings, *refused))
    scenario = _scenario(written, mix, objects, source)
    # Every measurement would be an Error; the step would never end.
    unanswered = [item for code in ("RT810", "RT813") for item in _found(code, documents, scenario, source.file)]
    if unanswered:
        raise BadInput(unanswered)
    unexposed = _found("RT812", documents, scenario, source.file)
    return Loaded(scenario, documents, source.file, origin.bare, unexposed, notes, origin)


def _settled(written: Any, objects: ManifestSet) -> Any:
    """The document as read, with the traffic of all pods where it is written for each pod and these are known."""
    strategy = default_strategy(objects) if written is INVALID or written.strategy is None else written.strategy
    pods = None if strategy is None else pods_of(strategy, objects)
    if written is INVALID or pods is None:
        return written
    return dataclasses.replace(written, traffic=for_all(written.traffic, pods))


def _found(code: str, documents: Documents, scenario: Scenario, file: str) -> tuple[Finding, ...]:
    """What one rule about what nobody answers for says."""
    rule = next(rule for rule in scripts.RULES if rule.code == code)
    hits = rule.check(Context(documents, scenario, scenario.controller)) if rule.check is not None else ()
    return tuple(finding(rule, hit, file) for hit in hits)


def _documents(source: Source, reader: Reader, crds: File | None, texts: Mapping[File, str]) -> Documents:
    """The manifests named; a path is relative to the file in which it stands."""
    names = source.data.get("manifests", [])
    paths: list[File] = []
    for index, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str):
            named_in = File(source.position(("manifests", index)).file)
            path = named_in.parent / name
            # A manifest named on the command line is reported as unreadable by itself.
            paths += [path] if path == named_in or _exists(path, ("manifests", index), reader) else []
    documents = manifests.load(paths, crds, texts=texts)
    absent = source.data.get("without", [])
    return _without(documents, absent, reader) if isinstance(absent, list) else documents


def _exists(path: File, where: Path, reader: Reader) -> bool:
    """Whether there is anything at the path; if not, that is an error of the place that names it."""
    try:
        found = path.exists()
    except (OSError, ValueError):  # too long, or with a zero byte
        found = False
    if not found:
        reader.fail(where, f"no such file or directory: {path}", "paths are relative to the file that names them")
    return found


def _without(documents: Documents, absent: list[Any], reader: Reader) -> Documents:
    """The documents less those named as Kind/name; a name that fits nothing is an error."""
    names = [f"{item.kind}/{item.name}" for item in documents.objects]
    for index, name in enumerate(absent):
        if name not in names and names:
            reader.fail(("without", index), f"no object {name!r} in the manifests", nearest(str(name), tuple(names)))
    kept = tuple(item for item, name in zip(documents.objects, names, strict=True) if name not in absent)
    return dataclasses.replace(documents, objects=kept)


def _releases(source: Source, reader: Reader) -> tuple[Release, ...]:
    raw = source.data.get("releases", [])
    if not isinstance(raw, list):
        reader.fail(("releases",), "must be a list of releases")
        return ()
    # Errors in ``stable`` have been recorded with the rest of the document; here it only lends its values.
    stable = BEHAVIOUR.read(source.data.get("stable", {}), ("stable",), Reader(source), VersionBehaviour("stable"))
    base = Release("", good=True, share=1.0, behaviour=VersionBehaviour("") if stable is INVALID else stable)
    items = [RELEASE.read(item, ("releases", index), reader, base) for index, item in enumerate(raw)]
    return tuple(_named(item, base) for item in items if item is not INVALID)


def _named(release: Release, base: Release) -> Release:
    """A behaviour without a name of its own is called after its release."""
    if release.behaviour.name != base.behaviour.name:
        return release
    return dataclasses.replace(release, behaviour=dataclasses.replace(release.behaviour, name=release.name))


def readable(name: str) -> str:
    """A file's name without the bytes that are no text, which a title cannot hold."""
    return name.encode(errors="replace").decode()


def default_strategy(objects: ManifestSet) -> Strategy | None:
    """The Rollout, else the Deployment, else None; ``problems`` has refused sets with several to choose from."""
    if objects.rollouts:
        return ArgoRollout(objects.rollouts[0].name)
    return RollingUpdate(objects.deployments[0].name) if objects.deployments else None


def _scenario(written: Written, mix: tuple[Release, ...], objects: ManifestSet, source: Source) -> Scenario:
    strategy = written.strategy or default_strategy(objects)
    if strategy is None:  # ``problems`` has refused this
        raise AssertionError(source.file)
    releases = {item.name: item for item in mix} or {"good": Release("good", True, 1.0, written.stable)}
    shared = {f.name for f in dataclasses.fields(Scenario)} & {f.name for f in dataclasses.fields(Written)}
    same = {name: getattr(written, name) for name in shared - {"manifests", "strategy", "release", "name", "title"}}
    return Scenario(
        title=written.title or written.name or readable(File(source.file).stem),
        name=written.name or kind_of(strategy),
        strategy=strategy,
        manifests=objects,
        release=releases.get(written.release, next(iter(releases.values()))),
        mix=tuple(releases.values()),
        load=written.traffic,
        **same,
    )
