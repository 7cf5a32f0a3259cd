"""One command, ``nox``, says whether the house is in order; the other sessions are asked for by name."""

import nox

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
PROJECT = nox.project.load_toml("pyproject.toml")
PIN = ("-c", "constraints.txt")


def install(session: nox.Session, *groups: str) -> None:
    """Install the project and dependency groups, pinned."""
    session.install(*PIN, "-e", ".", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install(*PIN, *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Strict typing, tests included."""
    install(session, "types")
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Arrows point down."""
    install(session, "layers")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that can fail without a cluster."""
    install(session, "test")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session(default=False)
def conformance(session: nox.Session) -> None:
    """Vectors of the real controller: ``nox -s conformance -- FILE...``."""
    install(session, "test")
    session.run("python", "-m", "tests.conformance", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure the data plane against naive SimPy in one run."""
    install(session, "test")
    session.run("python", "-m", "bench", *session.posargs)
