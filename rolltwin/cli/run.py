"""Replay one release and show how it ends, why, and when.

Writes journal.jsonl, timeline.svg and run.json to --out (default: rolltwin-out/NAME-VARIANT-RELEASE-SEED). Bare
manifests are replayed in the default world; see rolltwin explain default.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import reports
from rolltwin.cli.arguments import (
    add_data_plane_argument,
    add_locust_arguments,
    add_scenario_arguments,
    name_world,
    overrides_of,
    usable_folder,
    with_release,
)
from scenarios.document import Loaded, read_many
from sim import study

OUT = Path("rolltwin-out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_scenario_arguments(parser, paths="+")
    add_locust_arguments(parser)
    add_data_plane_argument(parser)
    parser.add_argument("--release", metavar="NAME", help="kind of release to replay (default: the scenario's)")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to write the journal and the figure")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what to print")


def run(args: argparse.Namespace) -> int:
    """Replay each scenario once, print its report and write its files."""
    loaded = read_many(args.paths, overrides_of(args), args.crds)
    name_world(loaded)
    for chosen in [with_release(item, args.release) for item in loaded]:
        seed = chosen.scenario.seed if args.seed is None else args.seed
        name = _name(chosen, seed) + (f"-{chosen.hash}" if overrides_of(args) else "")
        folder = usable_folder(_folder(args.out, name, len(loaded)))
        result = study.run_once(chosen.scenario, seed)
        names = reports.write_run(result, folder)
        print(reports.run_json(result) if args.format == "json" else reports.run_text(result))
        if args.format == "text":
            print(f"\nwritten to {folder}: {', '.join(names)}")
    return 0


def _folder(out: Path | None, name: str, runs: int) -> Path:
    """``out`` itself for one run, a folder below it for each of several, which must not overwrite each other."""
    if out is None:
        return OUT / name
    return out if runs == 1 else out / name


def _name(loaded: Loaded, seed: int) -> str:
    scenario = loaded.scenario
    return "-".join(filter(None, (scenario.name, scenario.variant, scenario.release.name, str(seed)))).replace("/", "_")
