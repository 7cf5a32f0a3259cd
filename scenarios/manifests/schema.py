"""Strict checking against a field table, in the API server's words."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from scenarios.findings import Finding, Path, Severity, path_text
from scenarios.manifests.documents import Document
from scenarios.manifests.hints import hint
from scenarios.manifests.limits import LIMIT, REPEATED, broken_limits
from scenarios.manifests.metadata import METADATA, NAME_RULE, name_is_valid
from scenarios.manifests.tables import Node, Tables

UNKNOWN, TYPE, ENUM, REQUIRED, ONE_OF, NAME, VERSION = (
    "RT010", "RT011", "RT012", "RT013", "RT014", "RT015", "RT016",
)  # fmt: skip
REFUSED = frozenset({UNKNOWN, TYPE, ENUM, REQUIRED, ONE_OF, NAME, VERSION, LIMIT, REPEATED})
"""Findings for which the API server refuses the object."""

_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")


def check(document: Document, tables: Tables) -> tuple[Finding, ...]:
    """Everything the API server would refuse of an object; one piece of information for kinds without a table."""
    root = tables.root(document.api_version, document.kind)
    if root is None:
        return (_no_table(document, tables),)
    walk = _Walk(document, root)
    return (*walk.metadata(), *walk.node(document.data, root, ()))


def refusal_message(document: Document) -> str:
    """What the API server answers to this object, or '' if it takes it.

    Unknown fields are found while decoding, and if there are any nothing else is looked at.
    """
    problems = [finding for finding in document.problems if finding.code in REFUSED]
    unknown = [finding.message for finding in problems if finding.code == UNKNOWN]
    if unknown:
        return f"strict decoding error: {', '.join(unknown)}"
    if version := next((finding.message for finding in problems if finding.code == VERSION), ""):
        return version
    messages = [finding.message for finding in problems]
    body = messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]"
    qualified = f"{document.kind}.{document.group}" if document.group else document.kind
    return f'{qualified} "{document.name}" is invalid: {body}' if messages else ""


def pruned(document: Document) -> dict[str, Any]:
    """The object without its offending fields and items; the document's own data if there are none."""
    paths = [f.path for f in document.problems if f.code in {UNKNOWN, TYPE, ENUM, ONE_OF, LIMIT, REPEATED} and f.path]
    if not paths:
        return document.data
    data = copy.deepcopy(document.data)
    # Later list items first, so that removing one does not move another.
    for path in sorted(paths, key=_by_index, reverse=True):
        _remove(data, path)
    return data


def _by_index(path: Path) -> tuple[int, ...]:
    return tuple(part if isinstance(part, int) else -1 for part in path)


def _remove(data: Any, path: Path) -> None:
    *parents, last = path
    for part in parents:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(data, dict) or (isinstance(data, list) and isinstance(last, int) and last < len(data)):
        data.pop(last, None) if isinstance(data, dict) else data.pop(int(last))


def _no_table(document: Document, tables: Tables) -> Finding:
    line, column = document.position(("apiVersion",))
    known = tables.versions(document.group, document.kind)
    if known:
        message = f'no matches for kind "{document.kind}" in version "{document.api_version}"'
        suggestion = f"known: {', '.join(known)}"
        return Finding(VERSION, Severity.ERROR, message, document.file, line, column, ("apiVersion",), suggestion)
    message = f"{document.kind} ({document.api_version}) is not modelled; its fields are not checked"
    return Finding("RT007", Severity.INFO, message, document.file, line, column, ("kind",))


class _Walk:
    """One object and the root of its table."""

    def __init__(self, document: Document, root: Node) -> None:
        self.document = document
        self.root = root

    def metadata(self) -> Iterator[Finding]:
        """What is wrong with ``metadata``, the same for every kind."""
        written = self.document.data.get("metadata")
        yield from self.node({} if written is None else written, METADATA, ("metadata",))
        name = self.document.name
        generated = isinstance(written, dict) and "generateName" in written
        if not name and not generated:
            yield self._finding(NAME, "resource name may not be empty", ("metadata", "name"))
        elif name and not name_is_valid(self.document.kind, name):
            message = f'metadata.name: Invalid value: "{name}": {NAME_RULE}'
            yield self._finding(NAME, message, ("metadata", "name"))

    def node(self, data: Any, node: Node, path: Path) -> Iterator[Finding]:
        """What is wrong with the value at a path."""
        if path == ("metadata",) and node is not METADATA:
            return
        if data is None:
            yield from self._null(node, path)
            return
        if not _has_type(data, node.type):
            yield self._wrong_type(data, node, path)
            return
        if node.enum and data not in node.enum:
            yield self._unsupported(data, node, path)
        for code, where, message in broken_limits(data, node, path):
            yield self._finding(code, message, where)
        if isinstance(data, dict) and node.type == "object":
            yield from self._object(data, node, path)
        elif isinstance(data, list) and node.items is not None:
            for index, item in enumerate(data):
                yield from self.node(item, node.items, (*path, index))

    def _null(self, node: Node, path: Path) -> Iterator[Finding]:
        """Null for a field means "not written" (the API server prunes it); as an item of a list it is a wrong type."""
        if path and isinstance(path[-1], int) and not node.nullable and node.type != "any":
            yield self._wrong_type(None, node, path)

    def _object(self, data: dict[str, Any], node: Node, path: Path) -> Iterator[Finding]:
        for key, value in data.items():
            child = node.fields.get(key, node.values)
            if child is not None:
                yield from self.node(value, child, (*path, key))
            elif node.closed:
                yield self._unknown(key, node, path)
        for key in node.required:
            if data.get(key) is None and not self._filled(data, node, key):
                yield self._finding(REQUIRED, f"{path_text((*path, key))}: Required value", (*path, key))
        yield from self._alternatives(data, node, path)

    @staticmethod
    def _filled(data: dict[str, Any], node: Node, key: str) -> bool:
        """Whether a field that is missing or null counts as written: by its default, or because it may be null."""
        child = node.fields.get(key)
        if child is None:
            return False
        return child.default is not None or (key in data and (child.nullable or child.type == "any"))

    def _alternatives(self, data: dict[str, Any], node: Node, path: Path) -> Iterator[Finding]:
        written = [name for name in node.one_of if data.get(name) is not None]
        where = path_text(path)
        if len(written) > 1:
            message = f"{where}: Invalid value: only one of {', '.join(written)} may be set"
            yield self._finding(ONE_OF, message, (*path, written[1]))
        elif node.one_needed and not written:
            message = f"{where}: Invalid value: one of {', '.join(node.one_of)} must be set"
            yield self._finding(REQUIRED, message, path)

    def _unknown(self, key: str, node: Node, path: Path) -> Finding:
        where = (*path, key)
        return self._finding(UNKNOWN, f'unknown field "{path_text(where)}"', where, hint(key, node, path, self.root))

    def _wrong_type(self, data: Any, node: Node, path: Path) -> Finding:
        where, found = path_text(path), _type_name(data)
        wanted = {"int-or-string": "integer,string", "quantity": "a quantity"}.get(node.type, node.type)
        message = f'{where}: Invalid value: "{found}": {where} in body must be of type {wanted}: "{found}"'
        suggestion = "quote it" if _needs_quotes(data, node) else ""
        return self._finding(TYPE, message, path, suggestion)

    def _unsupported(self, data: Any, node: Node, path: Path) -> Finding:
        values = ", ".join(f'"{value}"' for value in node.enum)
        message = f'{path_text(path)}: Unsupported value: "{data}": supported values: {values}'
        return self._finding(ENUM, message, path)

    def _finding(self, code: str, message: str, path: Path, suggestion: str = "") -> Finding:
        line, column = self.document.position(path)
        return Finding(code, Severity.ERROR, message, self.document.file, line, column, path, suggestion)


def _needs_quotes(data: Any, node: Node) -> bool:
    return node.type == "string" and isinstance(data, bool | int | float)


def _has_type(data: Any, kind: str) -> bool:
    match kind:
        case "any":
            return True
        case "integer":
            return isinstance(data, int) and not isinstance(data, bool)
        case "number":
            return isinstance(data, int | float) and not isinstance(data, bool)
        case "int-or-string":
            return isinstance(data, int | str) and not isinstance(data, bool)
        case "quantity":
            return not isinstance(data, bool) and _QUANTITY.fullmatch(str(data)) is not None
        case _:
            return _type_name(data) == kind


def _type_name(data: Any) -> str:
    """The JSON name of a value's type, as the API server prints it."""
    names: tuple[tuple[type, str], ...] = (
        (bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (dict, "object"), (list, "array"),
    )  # fmt: skip
    return next((name for kind, name in names if isinstance(data, kind)), "null")
