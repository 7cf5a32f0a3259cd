"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

MOST_REPLICATIONS = 100_000


def add_scenario_arguments(parser: argparse.ArgumentParser, *, paths: str) -> None:
    """Scenario files or manifests, and what is changed in them; ``paths`` is argparse's nargs."""
    parser.add_argument(
        "paths",
        metavar="SCENARIO|MANIFESTS",
        nargs=paths,
        type=Path,
        help="scenario files, or manifests and folders of them",
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="override one value of the scenario, e.g. --set traffic.stages[0].rate=500 (repeatable)",
    )
    parser.add_argument("--crds", metavar="DIR", type=Path, help="check manifests against these CRDs instead of ours")
    parser.add_argument("--seed", type=whole, help="master seed (default: the scenario's)")


def whole(text: str) -> int:
    """A whole number >= 0 that JSON readers keep exactly."""
    number = int(text)
    if not 0 <= number <= 2**53:
        msg = f"{text} is not between 0 and 2^53"
        raise argparse.ArgumentTypeError(msg)
    return number


def replications(text: str) -> int:
    """A number of replications."""
    number = int(text)
    if not 1 <= number <= MOST_REPLICATIONS:
        msg = f"{text} is not between 1 and {MOST_REPLICATIONS}"
        raise argparse.ArgumentTypeError(msg)
    return number


def words(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """A reader of comma-separated known words."""

    def parse(text: str) -> tuple[str, ...]:
        chosen = tuple(word.strip() for word in text.split(",") if word.strip())
        unknown = [word for word in chosen if word not in known]
        if unknown or not chosen:
            msg = f"{', '.join(unknown) or 'nothing'} is not among {', '.join(known)}"
            raise argparse.ArgumentTypeError(msg)
        return chosen

    return parse


def usable_folder(folder: Path) -> Path:
    """The folder, created and proven writable before any long work; OSError otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder)
    os.close(handle)
    Path(name).unlink()
    return folder
