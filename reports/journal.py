"""Journals on disk: one JSON object a line, the header first, the end last; the same rows give the same bytes."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from reports.files import write_atomically
from sim.model.hashing import plain
from sim.model.records import SCHEMA_VERSION, EndRecord, HeaderRecord, Record, RunResult, Verdict

_SUFFIX = "Record"
_CLASSES: dict[str, type[Any]] = {cls.__name__.removesuffix(_SUFFIX).lower(): cls for cls in get_args(Record)}


class JournalError(Exception):
    """A file that is no journal this version can read; the message names file and line."""


def dumps(journal: tuple[Record, ...]) -> str:
    """The journal as JSON lines: ``record`` names the kind of row, then its fields in their declared order."""
    return "".join(_line(record) for record in journal)


def loads(text: str, name: str = "journal") -> tuple[Record, ...]:
    """The rows of a journal's text; JournalError if it is not one or has another schema version."""
    lines = text.splitlines()
    if not lines:
        msg = f"{name}: empty, so not a journal"
        raise JournalError(msg)
    _check_header(_data(lines[0], f"{name}:1"), f"{name}:1")
    return tuple(_record(_data(line, f"{name}:{n}"), f"{name}:{n}") for n, line in enumerate(lines, start=1))


def write(path: Path, result: RunResult) -> None:
    """Write a run's journal; readers see the old file or the whole new one, never a part."""
    write_atomically(path, dumps(result.journal))


def read(path: Path) -> RunResult:
    """The run a journal file describes; JournalError if the file is unreadable, foreign or cut short."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise JournalError(msg) from error
    return result_of(loads(text, str(path)), str(path))


def result_of(journal: tuple[Record, ...], name: str = "journal") -> RunResult:
    """The run that wrote these rows; JournalError without a header in front or an end at the back."""
    header, end = journal[0], journal[-1]
    if not isinstance(header, HeaderRecord) or not isinstance(end, EndRecord):
        msg = f"{name}: cut short: the last row must be an end record"
        raise JournalError(msg)
    return RunResult(header.scenario_hash, header.seed, end.verdict, end.reason, end.ended_s, journal)


def _line(record: Record) -> str:
    data = plain(record)
    kind = data.pop("kind").removesuffix(_SUFFIX).lower()
    return json.dumps({"record": kind} | data, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _data(line: str, place: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        msg = f"{place}: not JSON: {error.msg}"
        raise JournalError(msg) from error
    if not isinstance(data, dict) or data.get("record") not in _CLASSES:
        msg = f"{place}: not a journal row; expected an object with 'record' one of {', '.join(_CLASSES)}"
        raise JournalError(msg)
    return data


def _check_header(data: dict[str, Any], place: str) -> None:
    if data["record"] != "header":
        msg = f"{place}: the first row must be the header, not {data['record']!r}"
        raise JournalError(msg)
    if data.get("schema") != SCHEMA_VERSION:
        msg = (
            f"{place}: written with journal schema {data.get('schema')}, but this version reads {SCHEMA_VERSION}; "
            "run the scenario again to get a readable journal"
        )
        raise JournalError(msg)


def _record(data: dict[str, Any], place: str) -> Record:
    cls = _CLASSES[data.pop("record")]
    names = {f.name for f in fields(cls)}
    if set(data) - names:
        msg = f"{place}: unknown fields {', '.join(sorted(set(data) - names))}"
        raise JournalError(msg)
    try:
        record: Record = cls(**{name: _frozen(value) for name, value in data.items()} | _verdict(data, cls))
    except (TypeError, ValueError) as error:
        msg = f"{place}: {error}"
        raise JournalError(msg) from error
    return record


def _verdict(data: dict[str, Any], cls: type[Any]) -> dict[str, Verdict]:
    return {"verdict": Verdict(data["verdict"])} if cls is EndRecord and "verdict" in data else {}


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
