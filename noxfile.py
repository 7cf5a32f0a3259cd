"""One command, ``nox``, says whether the house is in order; the other sessions are asked for by name."""

import os
import sys
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
PROJECT = nox.project.load_toml("pyproject.toml")
PIN = ("-c", "constraints.txt")
PROGRAMS = Path(".nox/environment").resolve() / ("Scripts" if sys.platform == "win32" else "bin")


def groups(*names: str) -> list[str]:
    """What these dependency groups list."""
    return list(nox.project.dependency_groups(PROJECT, *names))


def run(session: nox.Session, *words: str) -> None:
    """Run a module of the environment's Python, which programs it starts find first as well."""
    path = os.pathsep.join([str(PROGRAMS), os.environ["PATH"]])
    session.run(str(PROGRAMS / "python"), "-m", *words, env={"PATH": path}, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install(*PIN, *groups("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def layers(session: nox.Session) -> None:
    """Arrows point down: read from the files, so that nothing of theirs is installed."""
    session.install(*PIN, *groups("layers"))
    session.run("lint-imports")


@nox.session
def environment(session: nox.Session) -> None:
    """All that the project, its tests and their types need, installed once for every session that asks for it."""
    # Python compiles what is imported when it is: most of what these packages bring never is.
    session.install(*PIN, "--no-compile", "-e", ".[cluster,tune]", *groups("types"))


@nox.session(requires=["environment"], venv_backend="none")
def types(session: nox.Session) -> None:
    """Strict typing, tests included."""
    run(session, "mypy")


@nox.session(requires=["environment"], venv_backend="none")
def tests(session: nox.Session) -> None:
    """Everything that can fail without a cluster."""
    # A worker that is done takes over what another has not begun; one that hangs (most tests take less than a second, none
    # more than a few minutes) is ended, which fails its test.
    limits = ("-o", "faulthandler_timeout=600", "-o", "faulthandler_exit_on_timeout=true")
    run(session, "pytest", "-n", "auto", "--dist", "worksteal", *limits, *session.posargs)


@nox.session(default=False, requires=["environment"], venv_backend="none")
def cluster(session: nox.Session) -> None:
    """A kind cluster, one release of each strategy under load beside the twin, and nothing left: ``nox -s cluster``.

    Arguments go to pytest: ``-- -k canary``, ``-- --cluster-controller argo``. On a machine that reaches no registry set
    KIND_NODE_IMAGE, KIND_CONFIG and KIND_BASE_IMAGE.
    """
    run(session, "pytest", "-n", "0", "tests/cluster", *cluster_arguments(session.posargs))


def cluster_arguments(given: list[str]) -> list[str]:
    """What the arguments leave open: a kind cluster, and our own rules for want of a controller's image."""
    said = {argument.partition("=")[0] for argument in given}
    where = [] if said & {"--kind", "--cluster-context"} else ["--kind"]
    who = [] if "--cluster-controller" in said else ["--cluster-controller", "twin"]
    return [*where, *who, *given]


@nox.session(default=False, requires=["environment"], venv_backend="none")
def conformance(session: nox.Session) -> None:
    """Vectors of the real controller: ``nox -s conformance -- FILE...``."""
    run(session, "tests.conformance", *session.posargs)


@nox.session(default=False)
def oracle(session: nox.Session) -> None:
    """PromQL beside a real Prometheus server, the distribution's package unpacked into the session's own folder."""
    server = fetched_prometheus(session, Path(session.create_tmp()).resolve())
    if server is None:
        session.skip("no Prometheus package can be had from the distribution here, so nothing was compared")
    session.install(*PIN, *groups("oracle"))
    session.run("python", "-m", "pytest", "tests/oracle", *session.posargs, env={"ROLLTWIN_PROMETHEUS": str(server)})


def fetched_prometheus(session: nox.Session, folder: Path) -> Path | None:
    """The server's program, or None. Nothing is installed; a machine without package lists gets some in the folder."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    own = ("-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder / 'cache'}")
    brief = ("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10")
    with session.chdir(folder):
        for lists in ((), own):
            try:
                if lists:
                    session.run("apt-get", *lists, *brief, "update", external=True, silent=True)
                session.run("apt-get", *lists, *brief, "download", "prometheus", external=True, silent=True)
                package = max(folder.glob("prometheus_*.deb"))
                session.run("dpkg", "-x", package.name, "prometheus", external=True, silent=True)
            except CommandFailed as reason:
                session.log(f"no package: {reason}")
            else:
                return folder / "prometheus/usr/bin/prometheus"
    return None


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure the data planes against SimPy, plain C and Ciw in one run."""
    session.install(*PIN, "-e", ".[cluster,tune]", *groups("bench"))
    session.run("python", "-m", "bench", *session.posargs)
