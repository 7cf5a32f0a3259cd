"""The code of the model as a digest: results of two versions must never be averaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from sim.model.hashing import digest


def work_digest(functions: tuple[Callable[..., Any], ...]) -> str:
    """Identity of what is done to a scenario and a seed: these functions and all code of their packages and the model.

    Equal on all machines that have the same code, whatever their paths.
    """
    packages = sorted({"sim", *(function.__module__.partition(".")[0] for function in functions)})
    names = [f"{function.__module__}.{function.__qualname__}" for function in functions]
    return digest([[_code_digest(name) for name in packages], names])


@cache
def _code_digest(package: str) -> str:
    """Read once: a process that runs for hours is made of the code it was started with."""
    state = blake2b(digest_size=8)
    for name, text in sorted(_sources(files(package), package)):
        state.update(f"{name}\0{len(text)}\0".encode() + text)
    return state.hexdigest()


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{name}/{entry.name}", entry.read_bytes()
