"""Which image a run uses for what: present, pulled or built here, as ``images.yaml``, a user's file and the environment say.

What is built carries a hash of its folder and of its base in its tag, so an image that is out of date is never used.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from threading import RLock
from typing import Any

from harness import missing
from harness.cluster.commands import CommandError, run
from harness.missing import Missing

PINS = "images.yaml"
PULL_S = 900.0
BUILD_S = 1200.0
_FIELDS = {"image", "pull", "build", "base", "variable"}


class PinError(ValueError):
    """A file of images that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Where one image comes from; ``image`` is taken as it is, before all else."""

    image: str = ""
    pull: str = ""
    build: str = ""
    base: str = ""
    variable: str = ""


class Images:
    """The images of this machine. Safe to use from several threads; each is looked for once."""

    def __init__(self, file: Path | None = None, root: Path | None = None) -> None:
        self.root = root or Path(str(files("harness")))
        self._pins = pins(self.root / PINS)
        if file:
            self._pins = _widened(self._pins, file)
        self._found: dict[str, str] = {}
        self._lock = RLock()

    def reference(self, name: str) -> str:
        """The reference of an image that is on this machine; MissingError if there is no way to it."""
        with self._lock:
            if name not in self._found:
                self._found[name] = self._find(name)
            return self._found[name]

    def said(self, name: str) -> str:
        """What the environment or the user's file names outright; '' if nothing."""
        pin = self._pin(name)
        variables = (f"ROLLTWIN_IMAGE_{name.upper().replace('-', '_')}", pin.variable)
        return next((os.environ[item] for item in variables if os.environ.get(item)), "") or pin.image

    def wanted(self, name: str) -> str:
        """The reference without looking for it: for what others pull, such as kind its node."""
        return self.said(name) or self._pin(name).pull

    def _pin(self, name: str) -> Pin:
        if name not in self._pins:
            message = f"no image is named {name!r}; there are {', '.join(self._pins)}"
            raise PinError(message)
        return self._pins[name]

    def _find(self, name: str) -> str:
        said, pin = self.said(name), self._pin(name)
        if not said and pin.build and (not pin.pull or self._offline):
            return self._built(name, pin)
        return _present(name, said or pin.pull) or _pulled(name, said or pin.pull)

    @property
    def _offline(self) -> bool:
        """A machine that names its Debian base reaches no registry."""
        return bool(os.environ.get("KIND_BASE_IMAGE"))

    def _built(self, name: str, pin: Pin) -> str:
        base = self.reference(pin.base)
        folder = self.root / pin.build
        tag = f"local/rolltwin-{name}:{content_hash(folder, _identity(base))}"
        return _present(name, tag) or _build(name, tag, folder, base)


def pins(*layers: Path | None) -> dict[str, Pin]:
    """The pins of several files, later ones replacing entries of earlier ones; PinError names what is wrong."""
    from ruamel.yaml import YAML  # noqa: PLC0415 read only when images are needed
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    found: dict[str, Pin] = {}
    for file in filter(None, layers):
        try:
            read = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        except (OSError, YAMLError, UnicodeDecodeError) as error:
            message = f"{file}: {error.strerror if isinstance(error, OSError) else error}"
            raise PinError(message) from error
        found |= _checked(file, read or {})
    return found


def _widened(ours: dict[str, Pin], file: Path) -> dict[str, Pin]:
    """With a user's own; PinError for a name that nothing here asks for, which is a slip of the pen."""
    found = ours | pins(file)
    unknown = found.keys() - ours.keys() - {pin.base for pin in found.values()}
    if unknown:
        message = f"{file}: no image is named {', '.join(sorted(unknown))}; there are {', '.join(ours)}"
        raise PinError(message)
    return found


def _checked(file: Path, read: Any) -> dict[str, Pin]:
    wrong = "" if isinstance(read, Mapping) else "not a mapping of names to images"
    for name, entry in read.items() if not wrong else ():
        if not isinstance(entry, Mapping) or not all(isinstance(value, str) for value in entry.values()):
            wrong = f"{name}: not a mapping of {', '.join(sorted(_FIELDS))} to text"
        elif set(entry) - _FIELDS:
            wrong = f"{name}: unknown {', '.join(sorted(set(entry) - _FIELDS))}; known: {', '.join(sorted(_FIELDS))}"
    if wrong:
        message = f"{file}: {wrong}"
        raise PinError(message)
    return {name: Pin(**entry) for name, entry in read.items()}


def content_hash(folder: Path, base: str) -> str:
    """Twelve hexadecimal digits that stand for every file of the folder (compiled Python aside) and the base image."""
    digest = hashlib.sha256(base.encode())
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"\0{file.relative_to(folder).as_posix()}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _docker() -> Path:
    found = missing.docker()
    missing.need(found)
    return Path(str(found))


def _identity(reference: str) -> str:
    """The image's own identifier: a moved tag is another base."""
    return run(_docker(), "image", "inspect", "--format", "{{.Id}}", reference).strip()


def _present(name: str, reference: str) -> str:
    docker = _docker()
    try:
        run(docker, "image", "inspect", "--format", "{{.Id}}", reference)
    except CommandError as error:
        if "No such image" in str(error):
            return ""
        raise Missing("an answering Docker", f"the image {name} is looked for there", str(error)).error() from error
    return reference


def _pulled(name: str, reference: str) -> str:
    try:
        run(_docker(), "pull", "--quiet", reference, timeout_s=PULL_S)
    except CommandError as error:
        variable = f"ROLLTWIN_IMAGE_{name.upper().replace('-', '_')}"
        how = f"Name an image that is here with {variable} or --images. Docker said: {error}"
        raise Missing(f"the image {reference}", f"a run needs {name}", how).error() from error
    return reference


def _build(name: str, tag: str, folder: Path, base: str) -> str:
    try:
        run(_docker(), "build", "--tag", tag, "--build-arg", f"BASE={base}", str(folder), timeout_s=BUILD_S)
    except CommandError as error:
        raise Missing(f"the image {tag}", f"a run needs {name}", f"Building it failed: {error}").error() from error
    return tag
