"""What the commands that run studies share: options, a bar of progress, and the way on after Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rolltwin.cli.arguments import add_data_plane_argument, whole
from sim.model.data_plane import DataPlaneMode
from sim.study import Dask, Engine, Processes, Serial, StudyInterrupted

MOST_REPLICATIONS = 100_000
MOST_WORKERS = 256
PROCESSES, DASK = "processes", "dask://"
"""What ``--engine`` may be, or begin with."""
STORE = "replications.sqlite"
"""The file of a command's folder that its finished replications are kept in."""


def add_study_arguments(parser: argparse.ArgumentParser, *, data_plane: DataPlaneMode | None = None) -> None:
    """Who runs the replications, and how closely requests are simulated; None: as the scenario says."""
    parser.add_argument(
        "--workers",
        type=whole(1, MOST_WORKERS),
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes (default: all cores)",
    )
    parser.add_argument(
        "--engine",
        type=_engine,
        default=PROCESSES,
        metavar="ENGINE",
        help=f"who runs the replications: {PROCESSES} on this machine, or {DASK}HOST:PORT, the workers of that Dask scheduler "
        f"(default: {PROCESSES})",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="FILE",
        help=f"keep finished replications there; commands may share it (default: {STORE} in --out)",
    )
    add_data_plane_argument(parser, data_plane)


def store_of(args: argparse.Namespace, folder: Path) -> Path:
    """The file to keep finished replications in: the one asked for, or the one of the command's folder."""
    store: Path = args.store or folder / STORE
    return store


def engine_of(args: argparse.Namespace) -> Engine:
    """The engine asked for; ``with`` it, so that its workers go home."""
    if args.engine != PROCESSES:
        return Dask(args.engine.removeprefix(DASK))
    return Processes(args.workers) if args.workers > 1 else Serial()


def _engine(text: str) -> str:
    host, _, port = text.removeprefix(DASK).rpartition(":")
    if text == PROCESSES or (text.startswith(DASK) and host and port.isdecimal()):
        return text
    msg = f"{text!r} is neither {PROCESSES} nor {DASK}HOST:PORT"
    raise argparse.ArgumentTypeError(msg)


def command_line() -> str:
    """What the user typed."""
    return shlex.join(["rolltwin", *sys.argv[1:]])


@contextmanager
def under_way() -> Iterator[Callable[[int, int], None]]:
    """Progress of a study on standard error; an interruption says how to go on."""
    try:
        with _bar() as progress:
            yield progress
    except KeyboardInterrupt as stop:
        # Between two replications nobody counts them; what is finished is kept all the same.
        done = f"{stop} " if isinstance(stop, StudyInterrupted) else ""
        hint = f"{done}Nothing is lost; go on with: {command_line()}"
        raise KeyboardInterrupt(hint) from None


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, so that standard output stays clean for pipes."""
    columns = (TextColumn("replications"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("replications", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
