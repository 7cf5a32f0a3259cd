"""A cluster that somebody else runs: one context of a kubeconfig, copied alone into a file of the run's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import missing
from harness.cluster.base import Reachable
from harness.cluster.commands import run


@contextmanager
def context_cluster(context: str, kubeconfig: Path | None = None) -> Iterator[Reachable]:
    """The cluster of a named context, while the context manager lasts.

    The name is never guessed: the user's current context may be production. ``kubeconfig`` defaults to where kubectl
    looks (KUBECONFIG, then the home directory).
    """
    missing.need(missing.client(), missing.kubectl())
    with TemporaryDirectory(prefix="rolltwin-") as folder:
        file = copied(context, Path(folder), kubeconfig)
        cluster = Reachable(context, file)
        try:
            yield cluster
        finally:
            cluster.close()


def copied(context: str, folder: Path, kubeconfig: Path | None = None) -> Path:
    """A file in ``folder`` with this context alone, certificates and keys embedded; CommandError if there is none such."""
    source = ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
    text = run(
        str(missing.kubectl()), "config", "view", *source, "--context", context, "--minify", "--flatten", "--raw"
    )
    file = folder / "kubeconfig"
    file.touch(0o600)
    file.write_text(text, encoding="utf-8")
    return file
