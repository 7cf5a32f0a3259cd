"""Locust's process: started, told when to begin, listened to, and stopped with everything it may have started."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from time import time
from types import TracebackType
from typing import Final, Self

from harness.load.attempts import Attempt, attempts_of
from harness.load.plan import LoadPlan, write
from harness.missing import need, package
from harness.waiting import wait_until

UP_TIMEOUT_S: Final = 60.0
"""Importing Locust takes a second on a quiet machine and many on a busy one."""
STOP_TIMEOUT_S: Final = 5.0
_LOOK_S: Final = 0.05
_TAIL: Final = 40
"""Lines of the log in a dump."""
_LOCUSTFILE: Final = Path(__file__).with_name("locustfile.py")


class LoadError(Exception):
    """The generator did not come up, or ended by itself; the text has the end of its log."""


class Load:
    """One load generator. A context manager: leaving it, by whatever way, ends the process and its children."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Has the plan, the attempts and Locust's log."""
        self.begin_at: float | None = None
        """UNIX time at which the warm-up's first second begins; None before."""
        self._process: Popen[bytes] | None = None
        self._read = 0

    def start(self, target: str, plan: LoadPlan, begin_at: float | None = None) -> float:
        """Starts the process, waits until it is up, and lets it begin at ``begin_at`` (at once by default).

        ``target`` is ``host:port``. Returns ``begin_at``; the release is applied ``plan.warm_up_s`` later. LoadError if the
        process failed or was not up by then, WaitError if it hangs, MissingError without Locust.
        """
        need(package("locust", "it sends the traffic"))
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("begin", "attempts.csv"):
            (self.folder / name).unlink(missing_ok=True)
        write(plan, self.folder / "plan.json", target=f"http://{target}")
        self._process = self._spawn()
        self._wait_until_up()
        return self.begin(time() if begin_at is None else begin_at)

    def begin(self, at: float) -> float:
        """Says when to begin; LoadError if that has been missed."""
        if at < time() - 1.0:
            raise LoadError(self._dump("Locust came up only after the load was to begin"))
        self.begin_at = at
        fresh = self.folder / "begin.new"
        fresh.write_text(repr(at), encoding="ascii")
        fresh.replace(self.folder / "begin")
        return at

    def tail(self) -> list[Attempt]:
        """The attempts that ended since the last call, as far as written (a fifth of a second late).

        LoadError if the process has ended by itself.
        """
        if self._process is not None and self._process.poll() is not None:
            raise LoadError(self._dump("Locust ended by itself"))
        return self._fresh()

    def stop(self) -> list[Attempt]:
        """Ends the process and returns the attempts since the last ``tail``; what is still under way is not waited for."""
        process, self._process = self._process, None
        if process is not None:
            _end(process)
        return self._fresh()

    def attempts(self) -> list[Attempt]:
        """Everything so far, from the file."""
        with (self.folder / "attempts.csv").open("rb") as file:
            return _whole(file.read())[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self) -> Popen[bytes]:
        command = [sys.executable, "-m", "locust", "-f", str(_LOCUSTFILE), "--headless", "--only-summary"]
        with (self.folder / "locust.log").open("wb") as log:
            return Popen(  # noqa: S603 - our own interpreter and file
                [*command, "--loglevel", "WARNING"],
                env=_environment(self.folder),
                # Away from any locust.conf of the user's; and Ctrl-C is ours to answer.
                cwd=self.folder,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_until_up(self) -> None:
        """The first line of the file of attempts says that the process is up."""
        path = self.folder / "attempts.csv"

        def is_up() -> bool:
            if self._process is None or self._process.poll() is not None:
                raise LoadError(self._dump("Locust did not come up"))
            return path.exists() and path.stat().st_size > 0

        wait_until(is_up, "Locust is up", UP_TIMEOUT_S, lambda: self._dump("Locust"), every_s=_LOOK_S)

    def _fresh(self) -> list[Attempt]:
        path = self.folder / "attempts.csv"
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._read)
            found, length = _whole(file.read())
        self._read += length
        return found

    def _dump(self, what: str) -> str:
        code = self._process.poll() if self._process is not None else None
        log = self.folder / "locust.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        state = "" if code is None else f" (exit code {code})"
        return "\n".join([f"{what}{state}; the end of {log}:", *(f"  {line}" for line in lines[-_TAIL:])])


def _end(process: Popen[bytes]) -> None:
    """Ends a process and its group, and leaves no zombie."""
    if process.poll() is None:
        process.terminate()
        with suppress(TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _whole(data: bytes) -> tuple[list[Attempt], int]:
    """The attempts of the whole lines, and how many bytes these are: the last line may still be under way."""
    length = data.rfind(b"\n") + 1
    return attempts_of(data[:length].decode("ascii").splitlines()), length


def _environment(folder: Path) -> dict[str, str]:
    """Ours, without the user's settings for Locust."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {"ROLLTWIN_LOAD": str(folder.resolve() / "plan.json"), "PYTHONPATH": path}
