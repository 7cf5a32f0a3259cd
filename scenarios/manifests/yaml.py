"""Text of a YAML or JSON file in, plain data with a place for every node out.

Scalars mean what ``kubectl`` takes them for: Go's YAML 1.1 reader, where ``yes`` is true and ``010`` is eight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isinf
from typing import Any, NoReturn

from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from scenarios.findings import Finding, Path, Severity
from scenarios.manifests.dialect import compose

Place = tuple[int, int]
"""Line and column, both from 1."""

MAX_NODES = 250_000
"""Nodes of one document with its aliases expanded; more is taken for an attack on memory."""

_PARSER_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What ruamel's parser raises by mistake on text that is no YAML, such as a version ``%YAML 0.0`` at the end of a file."""

_MARKER = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_ONLY_COMMENTS = re.compile(r"(?:\s*(?:[#%][^\n]*|---|\.\.\.)?\s*(?:\n|$))*")
_TEMPLATED = re.compile(r"^\s*\{\{|^\s*(?:- )?[\w.\-/]+:\s+\{\{|^\s*- \{\{", re.MULTILINE)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset(word for base in ("true", "yes", "on", "y") for word in (base, base.title(), base.upper()))
_FALSE = frozenset(word for base in ("false", "no", "off", "n") for word in (base, base.title(), base.upper()))
_PLAIN_BOOLS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOATS = frozenset({".inf", ".Inf", ".INF", "+.inf", "-.inf", ".nan", ".NaN", ".NAN"})


@dataclass(frozen=True, slots=True)
class Parsed:
    """One document: its data (None if it could not be read), where everything is, and its first line."""

    data: Any
    line: int
    text: str
    keys: dict[Path, Place] = field(default_factory=dict)
    """Place of the key, or of the list item, at each path."""
    values: dict[Path, Place] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether the document parsed; duplicate keys are readable, syntax errors are not."""
        return not any(finding.code in {"RT001", "RT002"} for finding in self.findings)


def parse(text: str, file: str) -> Iterator[Parsed]:
    """Every document of a file that is more than comments, in order; one broken document does not hide the others.

    A ``---`` in the first column ends a document wherever it stands, even in a block scalar (YAML 1.2, 9.1.2), so the
    text can be cut there before it is parsed.
    """
    for line, chunk in chunks(text):
        if not _ONLY_COMMENTS.fullmatch(chunk):
            yield _document(chunk, file, line)


def templated(text: str) -> bool:
    """Whether unquoted ``{{ ... }}`` stands where a value, an item or a line should be, as in Helm charts."""
    return _TEMPLATED.search(text) is not None


def chunks(text: str) -> Iterator[tuple[int, str]]:
    """The documents of a text as cut at their markers, each with its first line."""
    cuts = [0, *(match.start() for match in _MARKER.finditer(text) if match.start()), len(text)]
    line = 1
    for start, end in pairwise(cuts):
        yield line, text[start:end]
        line += text.count("\n", start, end)


def _document(chunk: str, file: str, line: int) -> Parsed:
    reader = _Reader(chunk, file, line)
    try:
        node, rest = compose(chunk)
        data = reader.read(node, ())
    except _Unreadable as error:
        return Parsed(None, line, chunk, findings=(*reader.findings, error.finding))
    except MaxDepthExceededError:
        return Parsed(None, line, chunk, findings=(_too_deep(file, line),))
    except YAMLError as error:
        return Parsed(None, line, chunk, findings=(_syntax_error(error, chunk, file, line),))
    except _PARSER_FAULTS as error:
        finding = Finding(
            "RT001", Severity.ERROR, f"cannot be parsed ({type(error).__name__} in the YAML reader)", file, line, 1
        )
        return Parsed(None, line, chunk, findings=(finding,))
    except RecursionError:
        return Parsed(None, line, chunk, findings=(_too_deep(file, line),))
    dropped = [] if rest is None else [_dropped(file, line + rest)]
    return Parsed(data, line, chunk, reader.keys, reader.values, (*reader.findings, *dropped))


def _too_deep(file: str, line: int) -> Finding:
    return Finding("RT001", Severity.ERROR, "nested too deeply to be read", file, line, 1)


def _dropped(file: str, line: int) -> Finding:
    message = "the document ends before this line: what follows, up to the next ---, is dropped without a word"
    return Finding("RT018", Severity.ERROR, message, file, line, 1)


def _syntax_error(error: YAMLError, chunk: str, file: str, first: int) -> Finding:
    line, column, problem = _where(error, chunk)
    near = chunk.split("\n")[max(0, line - 2) : line + 1]
    if templated("\n".join(near)):
        return _template_finding(file, first + line)
    hint = "indent with spaces" if "'\\t'" in problem else ""
    return Finding("RT001", Severity.ERROR, problem, file, first + line, column + 1, (), hint)


def _where(error: YAMLError, chunk: str) -> tuple[int, int, str]:
    """Line and column from 0, and what is wrong there."""
    if isinstance(error, ReaderError):
        before = chunk[: error.position]
        return (
            before.count("\n"),
            len(before) - before.rfind("\n") - 1,
            f"character U+{error.character:04X} is not allowed",
        )
    if isinstance(error, MarkedYAMLError) and (mark := error.problem_mark or error.context_mark):
        return mark.line, mark.column, " ".join(filter(None, (error.context, error.problem)))
    return 0, 0, str(error).splitlines()[0]


def _template_finding(file: str, line: int) -> Finding:
    message = "this is a template, not YAML: {{ ... }} stands unquoted"
    return Finding(
        "RT002",
        Severity.ERROR,
        message,
        file,
        line,
        1,
        (),
        "quote the value, or render the chart first: helm template CHART > FILE",
    )


class _Unreadable(Exception):  # noqa: N818 - control flow inside this module
    def __init__(self, finding: Finding) -> None:
        self.finding = finding


class _Reader:
    """Composed nodes to plain data, noting places and oddities on the way."""

    def __init__(self, text: str, file: str, first: int) -> None:
        self.text = text
        self.file = file
        self.first = first
        self.findings: list[Finding] = []
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self._open: set[int] = set()
        self._nodes = 0

    def read(self, node: Node | None, path: Path) -> Any:
        """Data of a node; an empty document is ``{}`` so that it is not taken for an unreadable one."""
        if node is None:
            return {}
        self._enter(node, path)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        data = self._mapping(node, path) if isinstance(node, MappingNode) else self._sequence(node, path)
        self._open.discard(id(node))
        return data

    def _enter(self, node: Node, path: Path) -> None:
        self.values[path] = self._place(node)
        self.keys.setdefault(path, self.values[path])
        self._nodes += 1
        if id(node) in self._open:
            self._refuse("an anchor contains itself", node, path)
        if self._nodes > MAX_NODES:
            self._refuse(f"document contains more than {MAX_NODES} nodes", node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key == "<<" and key_node.style is None:
                merged.extend(value_node.value if isinstance(value_node, SequenceNode) else [value_node])
                continue
            if key in data:
                message = f'key "{key}" already set in map; the last one wins'
                self._note(Finding("RT003", Severity.ERROR, message), key_node, (*path, key))
            self.keys[*path, key] = self._place(key_node)
            data[key] = self.read(value_node, (*path, key))
        for other in merged:
            self._merge(data, other, path)
        return data

    def _merge(self, data: dict[str, Any], other: Node, path: Path) -> None:
        """Adds what ``<<`` brings and the mapping does not say itself."""
        if not isinstance(other, MappingNode):
            self._refuse("map merge requires map or sequence of maps as the value", other, path)
        if id(other) in self._open:
            self._refuse("an anchor contains itself", other, path)
        for key_node, value_node in other.value:
            key = self._key(key_node, path)
            if key == "<<" and key_node.style is None:
                self._merge(data, value_node, path)
            elif key not in data:
                self.keys[*path, key] = self._place(key_node)
                data[key] = self.read(value_node, (*path, key))

    def _sequence(self, node: Node, path: Path) -> list[Any]:
        return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]

    def _key(self, node: Node, path: Path) -> str:
        if isinstance(node, ScalarNode):
            return str(node.value)
        if templated(self.text) or isinstance(node, MappingNode):
            raise _Unreadable(_template_finding(self.file, self._place(node)[0]))
        return self._refuse("a key must be text", node, path)

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        if node.style is not None or self._tagged(node):
            return None if str(node.tag).endswith(":null") else node.value
        value, oddity = plain_scalar(node.value)
        if oddity:
            hint = f'write "{node.value}" if text is meant'
            message = f"{node.value} is read as {oddity}"
            self._note(Finding("RT004", Severity.WARNING, message, suggestion=hint), node, path)
        return value

    def _tagged(self, node: ScalarNode) -> bool:
        """Whether ``!!str`` or the like stands before the value: its mark is then the tag's."""
        return self.text[node.start_mark.index : node.start_mark.index + 1] == "!"

    def _place(self, node: Node) -> Place:
        return self.first + node.start_mark.line, node.start_mark.column + 1

    def _note(self, finding: Finding, node: Node, path: Path) -> None:
        line, column = self._place(node)
        self.findings.append(replace(finding, file=self.file, line=line, column=column, path=path))

    def _refuse(self, message: str, node: Node, path: Path) -> NoReturn:
        raise _Unreadable(Finding("RT001", Severity.ERROR, message, self.file, *self._place(node), path))


def plain_scalar(text: str) -> tuple[Any, str]:
    """The value of an unquoted scalar, and how it is read where that may surprise ('' where it does not).

    Rules of go-yaml v2, which every Kubernetes client uses: YAML 1.1 booleans, base prefixes, ``_`` in numbers, no
    sexagesimal integers; infinities and NaN have no JSON and stay text here.
    """
    if text in _NULLS:
        return None, ""
    if text in _TRUE or text in _FALSE:
        value = text in _TRUE
        return value, "" if text in _PLAIN_BOOLS else f"the boolean {str(value).lower()}"
    if text in _SPECIAL_FLOATS:
        return text, ""
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text, ""


def _integer(text: str) -> tuple[int | str, str]:
    digits = text.replace("_", "").lower()
    sign, body = (digits[0], digits[1:]) if digits[0] in "+-" else ("", digits)
    octal = len(body) > 1 and body[0] == "0" and body[1].isdigit()
    try:
        value = int(sign + ("0o" + body if octal else body), 0)
    except ValueError:
        return text, ""
    odd = body if octal or "_" in text or body[:2] in {"0o", "0b", "0x"} else ""
    return value, f"the number {value}" if odd else ""


def _float(text: str) -> tuple[float | int | str, str]:
    value = float(text.replace("_", ""))
    if isinf(value):
        return text, ""
    whole = int(value) if value.is_integer() and abs(value) < 2**53 else value
    digits = text.lstrip("+-").lower()
    surprising = "e" in digits or "_" in digits or (digits[:1] == "0" and digits[1:2].isdigit())
    return whole, f"the number {whole}" if surprising else ""
