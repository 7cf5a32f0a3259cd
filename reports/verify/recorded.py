"""Cluster runs on disk: a folder each, with the journal and what a reader must know about how it was made.

``meta.yaml`` names the scenario's file (shared by several runs), the release, the seed, versions and machine, and holds
a digest of every file the scenario was made of, so that a run is never compared with another scenario than its own.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from reports import journal
from reports.files import write_atomically
from scenarios.compression import Compression, compression
from scenarios.document import Loaded, read_many
from scenarios.document.fields import (
    COUNT,
    FLAG,
    INVALID,
    NAME,
    NUMBER,
    TEXT,
    Choice,
    Field,
    ListOf,
    PairsOf,
    Reader,
    Section,
)
from scenarios.document.load import is_scenario
from scenarios.document.source import read, unreadable
from scenarios.findings import BadInput, Finding
from sim.model.records import RunResult

SCHEMA = "rolltwin-recorded/v1"
META = "meta.yaml"
JOURNALS = ("journal.jsonl", "journal.jsonl.gz")
_LARGE = 150_000
"""Bytes above which a journal is kept compressed."""


@dataclass(frozen=True, slots=True)
class Meta:
    """How a run was made."""

    scenario: tuple[str, ...]
    """Paths of the scenario's file, or of bare manifests, relative to the folder."""
    release: str
    seed: int
    sources: str
    """Digest of the files that the scenario was made of (``digest_of``)."""
    controller: str = ""
    """Who decided on the cluster."""
    compression: float = 1.0
    overrides: tuple[str, ...] = ()
    """What was changed in the scenario, as ``--set`` has it."""
    near_threshold: bool = False
    recorded: str = ""
    """Date."""
    versions: tuple[tuple[str, str], ...] = ()
    machine: tuple[tuple[str, str], ...] = ()
    adaptations: tuple[str, ...] = ()
    """What had to be changed in the manifests for the cluster."""
    schema: str = SCHEMA


_SECTION = Section(
    Meta,
    (
        Field("schema", Choice((SCHEMA,)), "Version of this format.", required=True),
        Field("scenario", ListOf(TEXT, non_empty=True), "The scenario's file, relative to this one.", required=True),
        Field("release", NAME, "Kind of release that was rolled out.", required=True),
        Field("seed", COUNT, "Seed of the run.", required=True),
        Field("sources", NAME, "Digest of the scenario's files.", required=True),
        Field("controller", NAME, "Who decided on the cluster."),
        Field("compression", NUMBER, "Factor by which time was compressed."),
        Field("overrides", ListOf(TEXT), "What was changed in it, as --set has it."),
        Field("near_threshold", FLAG, "Whether the scenario was stated beforehand to be near a threshold."),
        Field("recorded", NAME, "Date of the run."),
        Field("versions", PairsOf(NAME, NAME), "What ran, by name."),
        Field("machine", PairsOf(NAME, NAME), "What it ran on."),
        Field("adaptations", ListOf(TEXT), "What was changed in the manifests for the cluster."),
    ),
)


@dataclass(frozen=True)
class Recorded:
    """One run from disk."""

    folder: Path
    meta: Meta
    result: RunResult

    @property
    def files(self) -> tuple[Path, ...]:
        """The scenario's file, or the bare manifests."""
        return tuple(Path(os.path.normpath(self.folder / name)) for name in self.meta.scenario)

    def scenario(self) -> Compression:
        """The scenario as it was run; BadInput if it cannot be read or has been changed since."""
        loaded = read_many(self.files, self.meta.overrides)[0]
        if digest_of(loaded) != self.meta.sources:
            message = f"{self.files[0]} or a file it is made of has been changed since this run was recorded"
            raise unreadable(str(self.folder / META), message, suggestion="record the run again, or undo the change")
        meta = self.meta
        if not meta.compression >= 1:
            raise unreadable(str(self.folder / META), f"compression: must be 1 or more (got {meta.compression:g})")
        known = [item.name for item in loaded.scenario.mix]
        if meta.release not in known:
            message = f"release: {self.files[0]} has none that is named {meta.release!r}"
            raise unreadable(str(self.folder / META), message, suggestion="releases there: " + ", ".join(known))
        return compression(loaded.with_release(meta.release), meta.compression)


def read_all(paths: Sequence[Path]) -> tuple[Recorded, ...]:
    """Every recorded run at or below the paths, by folder; BadInput with everything that is wrong with them."""
    found: list[Recorded] = []
    findings: list[Finding] = []
    for path in paths:
        folders = sorted(meta.parent for meta in path.rglob(META)) if path.is_dir() else []
        if not folders:
            findings += unreadable(str(path), f"no recorded run: no folder here has a {META}").findings
        for folder in folders:
            try:
                found.append(read_one(folder))
            except BadInput as error:
                findings += error.findings
    if findings:
        raise BadInput(findings)
    return tuple(found)


def read_one(folder: Path) -> Recorded:
    """The run recorded in a folder; BadInput if it is incomplete or its parts are not of one run."""
    source = read(folder / META)
    reader = Reader(source, [*source.findings])
    meta = _SECTION.read(source.data, (), reader)
    if meta is INVALID or reader.findings:
        raise BadInput(reader.findings)
    recorded = Recorded(folder, meta, _journal(folder))
    if (recorded.result.seed, recorded.result.journal[0].release) != (meta.seed, meta.release):  # type: ignore[union-attr]  # a header
        raise unreadable(str(folder / META), "the journal beside it is of another seed or release")
    return recorded


def _journal(folder: Path) -> RunResult:
    file = next((folder / name for name in JOURNALS if (folder / name).is_file()), None)
    if file is None:
        raise unreadable(str(folder), f"no journal: neither {' nor '.join(JOURNALS)}")
    try:
        if file.suffix != ".gz":
            return journal.read(file)
        text = gzip.decompress(file.read_bytes()).decode()
        return journal.result_of(journal.loads(text, str(file)), str(file))
    except (journal.JournalError, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise unreadable(str(file), f"no journal that can be read: {error}") from error


def write_one(folder: Path, meta: Meta, result: RunResult) -> None:
    """Keep a run; a journal too large to be reviewed as it is is compressed (always to the same bytes)."""
    data = journal.dumps(result.journal).encode()
    for name in JOURNALS:
        (folder / name).unlink(missing_ok=True)
    if len(data) > _LARGE:
        write_atomically(folder / JOURNALS[1], gzip.compress(data, mtime=0))
    else:
        write_atomically(folder / JOURNALS[0], data)
    # Last, so that a folder with a description has its journal too.
    write_atomically(folder / META, "".join(_lines(meta)))


def _lines(meta: Meta) -> Iterator[str]:
    yield f"schema: {meta.schema}\n"
    for name in ("scenario", "overrides", "release", "controller", "recorded", "sources"):
        said = getattr(meta, name)
        yield "" if said == "" else f"{name}: {json.dumps(said, ensure_ascii=False)}\n"
    yield f"seed: {meta.seed}\ncompression: {meta.compression:g}\nnear_threshold: {str(meta.near_threshold).lower()}\n"
    for name, pairs in (("versions", meta.versions), ("machine", meta.machine)):
        rows = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in pairs]
        yield f"{name}:\n{''.join(rows)}" if rows else ""
    lines = [f"  - {json.dumps(text, ensure_ascii=False)}\n" for text in meta.adaptations]
    yield f"adaptations:\n{''.join(lines)}" if lines else ""


def digest_of(loaded: Loaded) -> str:
    """Twelve hex digits of the texts a scenario was made of: its file, those it extends, its manifests."""
    state = blake2b(digest_size=6)
    for file in sorted(_files(loaded), key=lambda file: (file.name, str(file))):
        data = file.read_bytes().replace(b"\r\n", b"\n")
        state.update(f"{file.name}\0{len(data)}\0".encode() + data)
    return state.hexdigest()


def _files(loaded: Loaded) -> set[Path]:
    """Every file by its real path; what came from ``--set`` has none."""
    names = {item.file for item in loaded.documents.objects}
    if is_scenario(Path(loaded.file)):
        names |= {place.file for place in read(Path(loaded.file)).places.values()}
    return {Path(name).resolve() for name in names if Path(name).is_file()}
