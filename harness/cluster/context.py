"""A cluster that somebody else runs: one context of a kubeconfig, copied alone into a file of the run's own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import missing
from harness.cluster.base import Reachable
from harness.cluster.commands import run
from harness.waiting import wait_until

ANSWER_S = 30.0


def requirements() -> tuple[object, ...]:
    """All that a context takes; what is not there as ``missing.need`` takes it."""
    return missing.client(), missing.kubectl()


@contextmanager
def context_cluster(context: str, kubeconfig: Path | None = None) -> Iterator[Reachable]:
    """The cluster of a named context, while the context manager lasts.

    The name is never guessed: the user's current context may be production. ``kubeconfig`` defaults to where kubectl
    looks (KUBECONFIG, then the home directory).
    """
    missing.need(*requirements())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rolltwin-")))
        file = copied(context, folder, kubeconfig)
        socket = stack.enter_context(answering(file, folder)) if needs_a_program(file) else None
        yield stack.enter_context(closing(Reachable(context, file, socket)))


def copied(context: str, folder: Path, kubeconfig: Path | None = None) -> Path:
    """A file in ``folder`` with this context alone, certificates and keys embedded; CommandError if there is none such."""
    source = ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
    words = ("--context", context, "--minify", "--flatten", "--raw", "--output", "json")
    text = run(str(missing.kubectl()), "config", "view", *source, *words)
    file = folder / "kubeconfig"
    file.touch(0o600)
    file.write_text(text, encoding="utf-8")
    return file


def needs_a_program(kubeconfig: Path) -> bool:
    """Whether the user is known by what a program says, as with most clouds: kubectl knows all of their dialects."""
    users = json.loads(kubeconfig.read_text(encoding="utf-8")).get("users") or ()
    return any({"exec", "auth-provider"} & user["user"].keys() for user in users)


@contextmanager
def answering(kubeconfig: Path, folder: Path) -> Iterator[Path]:
    """A socket at which ``kubectl proxy`` answers for the API server; only this user may enter its folder."""
    socket = folder / "api.sock"
    said = folder / "proxy.log"
    command = [str(missing.kubectl()), "--kubeconfig", str(kubeconfig), "proxy", "--unix-socket", str(socket)]
    with (
        said.open("w", encoding="utf-8") as log,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True) as process,  # noqa: S603 our words
    ):
        try:
            wait_until(socket.exists, "kubectl proxy", ANSWER_S, lambda: said.read_text(encoding="utf-8"))
            yield socket
        finally:
            process.terminate()
