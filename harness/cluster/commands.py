"""Programs of others: run, timed, and quoted when they fail."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

TAIL = 4000
"""Characters of a program's own words that an error repeats."""


class CommandError(Exception):
    """A program failed. The message is what it said; ``code`` is None if it took too long."""

    def __init__(self, command: Sequence[str], code: int | None, said: str) -> None:
        self.command, self.code = tuple(command), code
        ended = "took too long" if code is None else f"exit code {code}"
        super().__init__(f"{' '.join(command)}: {ended}\n{said[-TAIL:].strip()}".strip())


def run(
    program: str | Path,
    *args: str,
    stdin: str | None = None,
    timeout_s: float = 60.0,
    env: Mapping[str, str] | None = None,
    detached: bool = False,
) -> str:
    """What the program prints; CommandError with its words otherwise. ``env`` adds to the environment.

    ``detached``: Ctrl-C in the terminal does not reach it. For what has to be finished, such as cleaning up.
    """
    command = [str(program), *args]
    try:
        done = subprocess.run(  # noqa: S603 no shell, and the words are ours
            command,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            env={**os.environ, **(env or {})},
            start_new_session=detached,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(command, None, _text(error.stdout) + _text(error.stderr)) from error
    if done.returncode:
        raise CommandError(command, done.returncode, done.stdout + done.stderr)
    return done.stdout


def _text(said: bytes | str | None) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said or ""
