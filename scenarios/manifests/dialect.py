"""YAML as the Kubernetes clients read it: ruamel's parser with go-yaml's white space, and the first document of a stream.

Source: go-yaml v2 ``scannerc.go`` (``yaml_parser_scan_to_next_token``, ``yaml_parser_scan_plain_scalar``).
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import Node
from ruamel.yaml.scanner import Scanner, ScannerError

_MOST_DEPTH = 256
"""Of lists and mappings in each other; more is no manifest, and takes time by its square."""
_BREAKS = "\r\n\x85\u2028\u2029"
_ENDS = "\0 \t" + _BREAKS


class _GoScanner(Scanner):
    """Takes tabs where go-yaml does: between tokens and inside plain scalars, never as indentation."""

    def scan_to_next_token(self) -> None:
        reader = self.reader
        if reader.index == 0 and reader.peek() == "\ufeff":
            reader.forward()
        while True:
            while reader.peek() == " " or (reader.peek() == "\t" and self._tabs_allowed()):
                reader.forward()
            if reader.peek() == "#":
                while reader.peek() not in "\0" + _BREAKS:
                    reader.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def _tabs_allowed(self) -> bool:
        return bool(self.flow_level or not self.allow_simple_key)

    def scan_plain_spaces(self, indent: Any, start_mark: Any) -> Any:
        """White space inside a plain scalar, folded; None before a document marker."""
        reader = self.reader
        length = 0
        while reader.peek(length) in " \t":
            length += 1
        blanks = reader.prefix(length)
        reader.forward(length)
        if reader.peek() not in _BREAKS:
            return [blanks] if blanks else []
        first = self.scan_line_break()
        self.allow_simple_key = True
        breaks = self._folded_breaks(indent, start_mark)
        if breaks is None:
            return None
        folded = [first] if first != "\n" else [] if breaks else [" "]
        return [*folded, *breaks]

    def _folded_breaks(self, indent: int, start_mark: Any) -> list[str] | None:
        """The line breaks after the first; None before a document marker."""
        reader, breaks = self.reader, list[str]()
        while not self._at_marker():
            if reader.peek() in _BREAKS:
                breaks.append(self.scan_line_break())
            elif reader.peek() == "\t" and reader.column < indent:
                msg = "while scanning a plain scalar"
                raise ScannerError(
                    msg, start_mark, "found a tab character that violates indentation", reader.get_mark()
                )
            elif reader.peek() in " \t":
                reader.forward()
            else:
                return breaks
        return None

    def _at_marker(self) -> bool:
        reader = self.reader
        return reader.column == 0 and reader.prefix(3) in {"---", "..."} and reader.peek(3) in _ENDS


def compose(text: str) -> tuple[Node | None, int | None]:
    """Node of the first document of a text (None for an empty one), and the line, from 0, where anything after it begins.

    go-yaml stops reading at the end of the document and does not look at the rest, even if that is no YAML. Raises
    ruamel's ``YAMLError``.
    """
    loader = YAML(typ="safe", pure=True)
    loader.Scanner = _GoScanner
    loader.max_depth = _MOST_DEPTH
    constructor, parser = loader.get_constructor_parser(StringIO(text))
    composer = constructor.composer
    # An anchor may be defined again; the last definition before the alias counts.
    composer.warn_double_anchors = False
    try:
        if not composer.check_node():
            return None, None
        return composer.get_node(), _rest(composer)
    finally:
        parser.dispose()


def _rest(composer: Any) -> int | None:
    try:
        return int(composer.parser.peek_event().start_mark.line) if composer.check_node() else None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return mark.line if mark else None
