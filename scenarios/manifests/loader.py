"""Files and directories in, documents and findings out; bad input never raises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

from scenarios.findings import Finding, Path, Severity, ordered
from scenarios.manifests.crds import tables_from_crds
from scenarios.manifests.documents import Document, Documents, Unreadable
from scenarios.manifests.schema import check
from scenarios.manifests.source import files_below, read_text
from scenarios.manifests.tables import Tables, builtin_tables
from scenarios.manifests.yaml import Parsed, parse

_KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_NO_OBJECT = "no Kubernetes object: apiVersion and kind not set"
_KIND = re.compile(r"^kind:\s*[\"']?([A-Za-z]+)", re.MULTILINE)
_NAME = re.compile(r"^metadata:\s*\n(?:[ \t]+.*\n|\s*\n)*?[ \t]+name:\s*[\"']?([^\s\"'#{]+)", re.MULTILINE)


def load(
    paths: Sequence[FilePath],
    crds: FilePath | None = None,
    versions: str = "head",
    texts: Mapping[FilePath, str] = MappingProxyType({}),
) -> Documents:
    """Every object below the paths, checked strictly against the field tables.

    Directories are read recursively, files in sorted order. ``crds`` is a directory of CustomResourceDefinitions that
    replace the built-in tables of their kinds, BadInput if it holds none; ``versions`` is ``head`` or ``playbook`` (see
    ``fields/README``). Files among ``texts`` are read as if that stood in them.
    """
    tables, findings = builtin_tables(versions), list[Finding]()
    if crds is not None:
        extra, crd_findings = tables_from_crds(crds)
        tables, findings = tables.merged(extra), crd_findings
    files, missing = files_below(paths)
    reading = _Reading(tables, [*findings, *missing])
    for file in files:
        reading.file(file, texts.get(file))
    return reading.result()


class _Reading:
    """What has been read so far."""

    def __init__(self, tables: Tables, findings: list[Finding]) -> None:
        self.tables = tables
        self.findings = findings
        self.objects: list[Document] = []
        self.unreadable: list[Unreadable] = []

    def file(self, file: FilePath, instead: str | None = None) -> None:
        """Reads one file, or what is to be read instead of it."""
        text, problem = read_text(file) if instead is None else (instead, None)
        if problem is not None:
            self.findings.append(problem)
            return
        if rendered := _source_of_renderer(file):
            self.findings.append(rendered)
            return
        if file.suffix == ".json" and _is_other_json(text):
            self.findings.append(Finding("RT006", Severity.INFO, _NO_OBJECT, str(file), 1, 1))
            return
        parsed = list(parse(text, str(file)))
        for document in parsed:
            self.findings.extend(document.findings)
            self._document(document, str(file))
        if not parsed:
            self.findings.append(Finding("RT009", Severity.WARNING, f"{file} holds no document", str(file), 1, 1))

    def _document(self, parsed: Parsed, file: str) -> None:
        if not parsed.readable:
            self.unreadable.append(_guess(parsed, file))
            return
        for root, data in _flatten(parsed.data, ()):
            self._object(parsed, root, data, file)

    def _object(self, parsed: Parsed, root: Path, data: Any, file: str) -> None:
        document = _identify(parsed, root, data, file)
        if document is None:
            self.findings.append(_no_object(parsed, root, data, file))
            return
        problems = check(document, self.tables)
        own = tuple(f for f in parsed.findings if f.path[: len(root)] == root)
        self.findings.extend(problems)
        self.objects.append(replace(document, problems=(*own, *problems)))

    def result(self) -> Documents:
        """Everything, with objects that are written twice reported."""
        findings = [*_each_kind_once(self.findings), *_twice(self.objects)]
        return Documents(tuple(self.objects), ordered(findings), tuple(self.unreadable))


def _each_kind_once(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Kinds without a table are mentioned at their first object only."""
    seen: set[str] = set()
    for finding in findings:
        if finding.code != "RT007" or finding.message not in seen:
            yield finding
        seen.add(finding.message)


def _is_other_json(text: str) -> bool:
    """Whether a text is JSON that is no object of Kubernetes: schemas and dashboards are large, and reading places slow."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return not isinstance(data, dict) or {"apiVersion", "kind"}.isdisjoint(data)


def _source_of_renderer(file: FilePath) -> Finding | None:
    """A warning where a file tells a renderer what to make of its neighbours."""
    folder = file.parent
    if file.name in _KUSTOMIZATIONS:
        message = (
            f"{folder} is a kustomization: its files are read as they are, without its patches, names and generators"
        )
        hint = f"check what it makes of them: kubectl kustomize {folder} > FILE"
    elif file.name == "Chart.yaml":
        message = f"{folder} is a Helm chart: its templates are no manifests before they are rendered"
        hint = f"check what it makes of them: helm template {folder} > FILE"
    else:
        return None
    return Finding("RT021", Severity.WARNING, message, str(file), 1, 1, (), hint)


def _flatten(data: Any, root: Path) -> Iterator[tuple[Path, Any]]:
    """The objects of a ``List`` (of any kind of list), or the object itself."""
    items = data.get("items") if isinstance(data, dict) and str(data.get("kind", "")).endswith("List") else None
    if not isinstance(items, list):
        yield root, data
        return
    for index, item in enumerate(items):
        yield from _flatten(item, (*root, "items", index))


def _identify(parsed: Parsed, root: Path, data: Any, file: str) -> Document | None:
    if not isinstance(data, dict):
        return None
    kind, version = data.get("kind"), data.get("apiVersion")
    if not (isinstance(kind, str) and kind and isinstance(version, str) and version):
        return None
    metadata = data.get("metadata")
    name, namespace = (_text(metadata, key) for key in ("name", "namespace"))
    size = len(root)
    keys, values = (
        {path[size:]: place for path, place in places.items() if path[:size] == root}
        for places in (parsed.keys, parsed.values)
    )
    return Document(kind, version, name, namespace, data, file, (), keys, values)


def _text(metadata: Any, key: str) -> str:
    value = metadata.get(key) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""


def _no_object(parsed: Parsed, root: Path, data: Any, file: str) -> Finding:
    """An error where it was meant as an object, else information: values files lie next to manifests."""
    line, column = parsed.keys.get(root, (parsed.line, 1))
    half = isinstance(data, dict) and not {"apiVersion", "kind"}.isdisjoint(data)
    missing = [key for key in ("apiVersion", "kind") if not (isinstance(data, dict) and data.get(key))]
    severity = Severity.ERROR if half else Severity.INFO
    message = f"no Kubernetes object: {' and '.join(missing)} not set" if missing else _NO_OBJECT
    return Finding("RT006", severity, message, file, line, column, root)


def _guess(parsed: Parsed, file: str) -> Unreadable:
    kind, name = _KIND.search(parsed.text), _NAME.search(parsed.text)
    problem = next((f for f in parsed.findings if f.code in {"RT001", "RT002"}), None)
    line = problem.line if problem else parsed.line
    words = _go_words(problem.message) if problem else "cannot be parsed"
    message = f"error converting YAML to JSON: yaml: line {line}: {words}"
    return Unreadable(kind[1] if kind else "", name[1] if name else "", message, file, line)


def _go_words(problem: str) -> str:
    """A parser error in the words of libyaml, which ``kubectl`` shows, where ruamel's differs."""
    if "expected <block end>" in problem:
        return "did not find expected key" if "block mapping" in problem else "did not find expected '-' indicator"
    return problem.rpartition("while ")[2] if problem.startswith("while ") else problem


def _twice(objects: Sequence[Document]) -> Iterator[Finding]:
    seen: dict[tuple[str, str, str, str], Document] = {}
    for document in objects:
        identity = (document.group, document.kind, document.namespace, document.name)
        first = seen.setdefault(identity, document)
        if first is not document and document.name:
            line, column = document.position(("metadata", "name"))
            message = (
                f"{document.kind} {document.name} is already written at {first.file}:{first.line}; the later one wins"
            )
            yield Finding("RT008", Severity.WARNING, message, document.file, line, column, ("metadata", "name"))
