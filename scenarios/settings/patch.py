"""Settings as a patch of the user's own files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path as File

from scenarios.document import source
from scenarios.document.load import Loaded
from scenarios.findings import BadInput, Finding, Severity
from scenarios.manifests.source import read_text
from scenarios.manifests.yaml import parse
from scenarios.settings.apply import Editor, Made
from scenarios.settings.naming import parts_of
from scenarios.settings.parameter import CODE, Parameter
from scenarios.settings.target import Act, Target
from scenarios.settings.text import Edit, Layout, UneditableError, as_written


@dataclass(frozen=True, slots=True)
class Patch:
    """A unified diff that ``git apply`` and ``patch -p1`` take in ``root``."""

    text: str
    """'' where no file changes."""
    root: File
    """Folder that the paths in it are relative to."""
    unwritten: tuple[str, ...] = ()
    """``key=value`` of the scenario that stand in no file, as for ``--set``."""

    @property
    def command(self) -> str:
        """What applies it when it is kept as patch.diff."""
        return f"patch -p1 -d {self.root}" if self.root != File.cwd() else "patch -p1"


def patch(loaded: Loaded, settings: Mapping[Parameter, str], editor: Editor | None = None) -> Patch:
    """What writes these settings into the files they come from: only the changed values, everything else as it is.

    With the editor that made them; BadInput if a file is no longer what that has read.
    """
    editor = editor or Editor(loaded, settings)
    chosen = editor.made(settings)
    edits = editor.edits(chosen)
    unwritten = []
    for item in chosen:
        if item.bound.target.document is None:
            found = _in_scenario(loaded, item)
            if found is None:
                unwritten.append(f"{item.bound.parameter.name}={item.value}")
            else:
                edits.setdefault(found[0], []).append(found[1])
    if changed := [file for file in edits if file in editor.texts and read_text(file)[0] != editor.texts[file]]:
        raise BadInput(_finding(file, "has changed since it was read: no patch of it can be made") for file in changed)
    root = _root(list(edits))
    text = "".join(_diff(file, edits[file], root) for file in sorted(edits))
    return Patch(text, root, tuple(unwritten))


def _in_scenario(loaded: Loaded, item: Made) -> tuple[File, Edit] | None:
    """The file and edit of a key of the scenario; None where the user has not written it in a file."""
    path = parts_of(item.bound.parameter.name) or ()
    origin = loaded.origin
    if origin.bare:
        return None
    place = source.read(origin.paths[0]).places.get(path)
    if place is None or not File(place.file).is_file():
        return None
    file = File(place.file)
    text = file.read_text(encoding="utf-8-sig")
    values = next(iter(parse(text, place.file))).values
    try:
        edit = Layout(text).edit(Target(None, path, Act.REPLACE, ""), values[path], item.value)
    except UneditableError:
        return None
    return None if edit is None else (file, edit)


def _root(files: list[File]) -> File:
    """Here, if everything lies below; else the folder that all have in common."""
    here = File.cwd()
    if all(file.resolve().is_relative_to(here) for file in files):
        return here
    return File(os.path.commonpath([file.resolve().parent for file in files]))


def _diff(file: File, edits: list[Edit], root: File) -> str:
    try:
        raw = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput([_finding(file, "cannot be read any more")]) from error
    name = file.resolve().relative_to(root).as_posix()
    # git and patch both end a name with a space in it at the tab.
    tab = "\t" if " " in name else ""
    changed = as_written(raw, edits)
    lines = unified_diff(_lines(raw), _lines(changed), f"a/{name}{tab}", f"b/{name}{tab}")
    return "".join(_ended(lines))


def _finding(file: File, message: str) -> Finding:
    return Finding(CODE, Severity.ERROR, message, str(file))


def _lines(text: str) -> list[str]:
    """Lines with their ends, cut as patch cuts them: at line feeds only."""
    return [line + "\n" for line in text.split("\n")[:-1]] + (
        [text.rpartition("\n")[2]] if not text.endswith("\n") else []
    )


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
