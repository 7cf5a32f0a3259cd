"""Reading both versions of a policy; what is wrong with either is reported at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os.path import normpath
from pathlib import Path
from tempfile import TemporaryDirectory

from scenarios import rules
from scenarios.changes.revision import RevisionError, extract
from scenarios.document import Loaded, from_manifests, load
from scenarios.document.load import is_scenario, readable
from scenarios.findings import BadInput, Finding, Severity
from sim.model.scenario import Scenario


@dataclass(frozen=True)
class Side:
    """One version: what to call it, what was read, and what ``check`` finds in it."""

    label: str
    """As the user named it: a path, or ``REV:PATH``."""
    loaded: Loaded
    findings: tuple[Finding, ...]

    @property
    def scenario(self) -> Scenario:
        """The frozen scenario."""
        return self.loaded.scenario


def read_sides(old: str, new: str, overrides: Sequence[str] = (), crds: Path | None = None) -> tuple[Side, Side]:
    """Both versions, each a scenario, a manifest or a folder of manifests, on disk or as ``REV:PATH`` in Git.

    BadInput with everything that is wrong with either.
    """
    sides: list[Side] = []
    findings: list[Finding] = []
    for label in (old, new):
        try:
            sides.append(_read(label, overrides, crds))
        except BadInput as error:
            findings.extend(error.findings)
    if findings:
        raise BadInput(findings)
    return sides[0], sides[1]


def _read(label: str, overrides: Sequence[str], crds: Path | None) -> Side:
    if Path(label).exists() or ":" not in label:
        return _renamed(_side(label, Path(label), overrides, crds), normpath)
    revision, _, path = label.partition(":")
    with TemporaryDirectory(prefix="rolltwin-") as name:
        folder = Path(name)
        try:
            place = extract(revision, path, folder)
            if is_scenario(place):
                extract(revision, path, folder, everything=True)
            return _renamed(_side(label, place, overrides, crds), partial(_in_revision, folder, revision))
        except RevisionError as error:
            hint = "a path from the repository's root, or ./ and a path from here"
            raise BadInput(
                [Finding("RT800", Severity.ERROR, f"{label}: no such file here, and {error}", suggestion=hint)]
            ) from None
        except BadInput as error:
            raise BadInput(_renamed_findings(error.findings, partial(_in_revision, folder, revision))) from None


def _side(label: str, path: Path, overrides: Sequence[str], crds: Path | None) -> Side:
    loaded = load(path, overrides, crds) if is_scenario(path) else from_manifests([path], overrides, crds)
    # As ``check`` does: bare manifests are not judged by traffic that nobody has stated.
    scenario = None if loaded.default_world else loaded.scenario
    found = rules.check(loaded.documents, scenario, loaded.file, loaded.scenario.controller)
    return Side(readable(label), loaded, found)


def _renamed(side: Side, shown: Callable[[str], str]) -> Side:
    """The side with its files called what the user would call them, so that nothing depends on a temporary folder."""
    documents, manifests = side.loaded.documents, side.scenario.manifests
    named = replace(
        documents,
        objects=tuple(replace(item, file=shown(item.file)) for item in documents.objects),
        findings=_renamed_findings(documents.findings, shown),
        unreadable=tuple(replace(item, file=shown(item.file)) for item in documents.unreadable),
    )
    refusals = tuple(replace(item, file=shown(item.file)) for item in manifests.refusals)
    scenario = replace(side.scenario, manifests=replace(manifests, refusals=refusals))
    loaded = replace(side.loaded, scenario=scenario, documents=named, file=shown(side.loaded.file))
    return Side(side.label, loaded, _renamed_findings(side.findings, shown))


def _renamed_findings(findings: Iterable[Finding], shown: Callable[[str], str]) -> tuple[Finding, ...]:
    return tuple(replace(item, file=shown(item.file)) if item.file else item for item in findings)


def _in_revision(folder: Path, revision: str, file: str) -> str:
    """``/tmp/x/k8s/rollout.yaml`` as ``main:k8s/rollout.yaml``."""
    path = Path(file)
    inside = next((root for root in (folder, folder.resolve()) if path.is_relative_to(root)), None)
    return file if inside is None else f"{revision}:{normpath(path.relative_to(inside))}"
