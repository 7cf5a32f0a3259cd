"""Files and directories to text; a file that cannot be read is a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scenarios.findings import Finding, Severity

SUFFIXES = (".yaml", ".yml", ".json")
MAX_BYTES = 4 * 2**20
"""Largest file read; etcd itself takes objects of at most 1.5 MiB."""


def read_text(file: Path) -> tuple[str, Finding | None]:
    """Text of a file with Unix line ends, or '' and why it cannot be read."""
    try:
        raw = file.read_bytes() if file.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        return "", _unreadable(file, (error.strerror or str(error)).lower())
    if raw is None:
        return "", _unreadable(file, f"larger than {MAX_BYTES // 2**20} MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return "", replace(_unreadable(file, "not UTF-8 text"), line=line, column=1)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # kubectl ends the last line, which a block scalar there would notice.
    text += "" if text.endswith("\n") or not text else "\n"
    # A tab is white space in JSON but not in YAML; strings cannot contain one, so the swap changes nothing else.
    return (text.replace("\t", " ") if file.suffix == ".json" else text), None


def files_below(paths: Sequence[Path]) -> tuple[list[Path], list[Finding]]:
    """Every manifest file once: files as given, directories recursively in sorted order."""
    files: dict[Path, None] = {}
    findings = []
    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue
        inside, problem = _inside(path)
        files |= dict.fromkeys(inside)
        findings.extend(problem)
    return list(files), findings


def _inside(directory: Path) -> tuple[list[Path], list[Finding]]:
    try:
        list(directory.iterdir())
    except OSError as error:
        return [], [_unreadable(directory, (error.strerror or str(error)).lower())]
    inside = sorted(path for path in directory.rglob("*") if path.suffix in SUFFIXES and path.is_file())
    if inside:
        return inside, []
    return [], [Finding("RT009", Severity.WARNING, f"no {', '.join(SUFFIXES)} file in {directory}", str(directory))]


def _unreadable(file: Path, why: str) -> Finding:
    return Finding("RT005", Severity.ERROR, f"cannot read {file}: {why}", str(file))
