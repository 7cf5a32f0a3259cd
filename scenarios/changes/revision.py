"""Manifests of a Git revision as a folder: what ``REV:PATH`` names, without touching the work tree."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scenarios.manifests.source import SUFFIXES

_FILE_MODES = frozenset({"100644", "100755"})
"""Symbolic links and submodules are left out: what they lead to is not in the revision's tree."""


class RevisionError(Exception):
    """What is wrong with a revision, or with Git."""


class _Blob(NamedTuple):
    sha: str
    name: str


def extract(revision: str, path: str, folder: Path, *, everything: bool = False) -> Path:
    """Write the manifests below ``path`` of the revision into ``folder`` and return where ``path`` is now.

    ``path`` counts from the repository's root, as in ``git show REV:PATH``; with ``./`` from the working directory.
    ``everything`` writes those of the whole revision, for a scenario that refers to its neighbours. RevisionError if
    there is no Git, no repository, no such revision, or nothing at that path.
    """
    top = Path(_text("rev-parse", "--show-toplevel").strip())
    commit = _commit(revision)
    wanted = _from_root(path)
    blobs = [blob for blob in _blobs(top, commit, "." if everything else wanted) if _used(blob.name, wanted)]
    if not blobs:
        msg = f"revision {revision} has no manifest at {wanted}"
        raise RevisionError(msg)
    for blob, content in zip(blobs, _contents(top, blobs), strict=True):
        file = folder / blob.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder / wanted


def _commit(revision: str) -> str:
    try:
        return _text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    except RevisionError as error:
        msg = f"Git knows no revision {revision!r}"
        raise RevisionError(msg) from error


def _from_root(path: str) -> str:
    prefix = _text("rev-parse", "--show-prefix").strip() if path.startswith(("./", "../")) or path == "." else ""
    parts: list[str] = []
    for part in PurePosixPath(prefix + path).parts:
        if part == ".." and not parts:
            msg = f"{path} leaves the repository"
            raise RevisionError(msg)
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts) or "."


def _used(name: str, wanted: str) -> bool:
    return ".." not in PurePosixPath(name).parts and (name == wanted or name.endswith(SUFFIXES))


def _blobs(top: Path, commit: str, path: str) -> Iterator[_Blob]:
    listing = _bytes("-C", str(top), "ls-tree", "-r", "-z", commit, "--", path).decode("utf-8", "surrogateescape")
    for entry in listing.split("\0")[:-1]:
        about, name = entry.split("\t", 1)
        mode, _, sha = about.split()
        if mode in _FILE_MODES:
            yield _Blob(sha, name)


def _contents(top: Path, blobs: list[_Blob]) -> Iterator[bytes]:
    answer = _bytes("-C", str(top), "cat-file", "--batch", given="".join(f"{blob.sha}\n" for blob in blobs).encode())
    at = 0
    for _ in blobs:
        header = answer.index(b"\n", at)
        size = int(answer[at:header].rsplit(b" ", 1)[1])
        yield answer[header + 1 : header + 1 + size]
        at = header + size + 2


def _text(*arguments: str) -> str:
    return _bytes(*arguments).decode("utf-8", "surrogateescape")


def _bytes(*arguments: str, given: bytes = b"") -> bytes:
    git = shutil.which("git")
    if git is None:
        msg = "git is not installed"
        raise RevisionError(msg)
    done = subprocess.run([git, *arguments], input=given, capture_output=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise RevisionError(done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ") or "git failed")
    return done.stdout
