"""Runs the survey of a Locust file in a process of its own, and what it found as values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sim.model.behaviour import Delay

TIMEOUT_S: Final = 120.0
"""Of real time: an import, and some thousand stubbed requests for each class of users."""
MOST_S: Final = 200_000.0
"""Seconds of Locust's run that are looked at; it stays as it is then."""
INSTALL: Final = "pip install 'rolltwin[cluster]'"


@dataclass(frozen=True, slots=True)
class Question:
    """How Locust would be started, and how long the stable version takes to answer."""

    file: Path
    users: int | None
    spawn_rate: float | None
    run_time_s: float | None
    host: str
    tags: tuple[str, ...]
    exclude_tags: tuple[str, ...]
    until_s: float
    latency: Delay


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests alike, and how many of them were made."""

    number: int
    method: str
    path: str
    name: str
    """As Locust's statistics call them, where the file says so."""
    headers: tuple[tuple[str, str], ...]
    host: str


@dataclass(frozen=True, slots=True)
class UserClass:
    """What one user did in ``seconds`` of Locust's time."""

    seconds: float
    kinds: tuple[Kind, ...]
    problems: tuple[tuple[int, str], ...] = ()
    """(line, error) of tasks that did not get to their end against stubs."""
    stops: bool = False
    """Whether its users stop by themselves."""

    @property
    def requests(self) -> int:
        """How many it made."""
        return sum(kind.number for kind in self.kinds)

    @property
    def rate_rps(self) -> float:
        """Requests/s of one user."""
        return self.requests / self.seconds if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Survey:
    """Classes of users by name; (second, users by class) whenever that changes; when Locust stops, if it does."""

    classes: dict[str, UserClass]
    users: tuple[tuple[float, dict[str, int]], ...]
    ramped_s: float = 0.0
    """When the first users asked for are all there."""
    ended_s: float | None = None


class SurveyError(Exception):
    """Something is wrong with the file, in this line of it (0: no line in particular)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def ask(question: Question) -> Survey:
    """What the survey found; SurveyError with the file's own mistake, or if Locust is not there."""
    if find_spec("locust") is None:
        message = f"Locust is needed to read it and is not installed: {INSTALL}"
        raise SurveyError(message)
    stamp = question.file.stat()
    answer = json.loads(_run(_request(question), (stamp.st_mtime_ns, stamp.st_size)))
    if "error" in answer:
        raise SurveyError(answer["error"]["message"], answer["error"]["line"])
    return _survey(answer)


@lru_cache(maxsize=64)
def _run(request: str, stamp: tuple[int, int]) -> str:  # noqa: ARG001 - what is remembered holds for the file as it was
    """The survey's answer, JSON text; remembered, since a study may load the same file for each of its strategies."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "scenarios.locustfiles.survey", request],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"its users were not through after {TIMEOUT_S:g} s: something in it loops without asking or waiting"
        raise SurveyError(message) from error
    if done.returncode or not done.stdout:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        message = f"it ended the process that reads it: {last[0]}"
        raise SurveyError(message)
    return done.stdout.decode()


def _request(question: Question) -> str:
    latency = question.latency
    return json.dumps(
        {
            "file": str(question.file.resolve()),
            "users": question.users,
            "spawn_rate": question.spawn_rate,
            "run_time_s": question.run_time_s,
            "host": question.host,
            "tags": question.tags,
            "exclude_tags": question.exclude_tags,
            "until_s": min(question.until_s, MOST_S),
            "latency": {"median_s": latency.median_s, "shape": latency.shape.value, "sigma": latency.sigma},
        }
    )


def _environment() -> dict[str, str]:
    """Ours, without the user's settings for Locust; the same order of sets every time."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"}


def _survey(answer: dict[str, Any]) -> Survey:
    return Survey(
        classes={name: _user_class(found) for name, found in answer["classes"].items()},
        users=tuple((at_s, counts) for at_s, counts in answer["users"]),
        ramped_s=answer["ramped_s"],
        ended_s=answer["ended_s"],
    )


def _user_class(found: dict[str, Any]) -> UserClass:
    kinds = tuple(
        Kind(number, method, path, name, tuple((key, value) for key, value in headers), host)
        for number, method, path, name, headers, host in found["kinds"]
    )
    problems = tuple((line, message) for line, message in found["problems"])
    return UserClass(found["seconds"], kinds, problems, found["stops"])
