"""What a cluster run needs of this machine, and words for what is not there: all of it at once, with the remedy."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

INSTALL = "pip install 'rolltwin[cluster]'"
"""The optional packages, all together."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is not there: what, why it is needed, how to get it."""

    what: str
    why: str
    how: str

    def __str__(self) -> str:
        return f"{self.what} is missing: {self.why}. {self.how}"

    def error(self) -> MissingError:
        """The exception that says so."""
        return MissingError(self.what, self.why, self.how)


class MissingError(Exception):
    """The environment lacks something; nothing is wrong with the scenario or with rolltwin."""

    def __init__(self, what: str, why: str, how: str, *others: Missing) -> None:
        self.things = (Missing(what, why, how), *others)
        super().__init__("\n".join(map(str, self.things)))


def need(*found: object) -> None:
    """Raises one MissingError that names every Missing among ``found``."""
    lacking = [item for item in found if isinstance(item, Missing)]
    if lacking:
        first, *others = lacking
        raise MissingError(first.what, first.why, first.how, *others)


def program(name: str, variable: str, why: str, how: str) -> Path | Missing:
    """Where a program is: what the environment ``variable`` says, otherwise the first on PATH."""
    said = os.environ.get(variable)
    found = shutil.which(said or name)
    if found:
        return Path(found)
    return Missing(said or name, why, f"{variable} names no program that can be run." if said else how)


def docker() -> Path | Missing:
    """The docker client (ROLLTWIN_DOCKER)."""
    return program(
        "docker", "ROLLTWIN_DOCKER", "kind's nodes are its containers, images are built with it", "Install Docker."
    )


def kind() -> Path | Missing:
    """The kind program (ROLLTWIN_KIND)."""
    return program("kind", "ROLLTWIN_KIND", "it makes the local cluster", "See https://kind.sigs.k8s.io.")


def kubectl() -> Path | Missing:
    """The kubectl program (ROLLTWIN_KUBECTL)."""
    return program(
        "kubectl", "ROLLTWIN_KUBECTL", "ports are forwarded with it", "See https://kubernetes.io/docs/tasks/tools."
    )


def package(module: str, why: str) -> Missing | None:
    """Missing if a Python package cannot be imported. It is not imported: Locust's import has side effects."""
    if find_spec(module) is None:
        return Missing(f"the Python package {module}", why, INSTALL)
    return None


def client() -> Missing | None:
    """Missing if there is no Kubernetes client."""
    return package("lightkube", "the Kubernetes API is asked through it")
