"""Print the timetable of a rollout before anything runs: steps, pods, weights, bounds, gates.

Of each Rollout (without one: of each Deployment) in the manifests, or of a scenario's strategy. Writes plan.svg,
plan.png and plan.json to --out (default: rolltwin-out/NAME/plan). Exits with 1 if the cluster would refuse one of them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import reports
from rolltwin.cli.arguments import add_scenario_arguments, overrides_of, usable_folder
from rolltwin.cli.run import OUT
from scenarios.document import Loaded, read_many
from sim.model.strategy import ArgoRollout, RollingUpdate, Strategy
from sim.timetable import Refused, Timetable, plan

DONE, REFUSED = 0, 1
"""Exit statuses."""


@dataclass(frozen=True)
class _Planned:
    """One timetable and the name of its folder."""

    name: str
    found: Timetable | Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_scenario_arguments(parser, paths="+", seed=False)
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to write the figure and the JSON")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="what to print")


def run(args: argparse.Namespace) -> int:
    """Work out every timetable, print them and write their files."""
    loaded = read_many(args.paths, overrides_of(args), args.crds)
    planned = [one for item in loaded for one in _planned(item)]
    folders = [_folder(args.out, one.name, len(planned)) for one in planned]
    for one, folder in zip(planned, folders, strict=True):
        if isinstance(one.found, Timetable):
            reports.write_timetable(one.found, usable_folder(folder))
    print(reports.render_timetables([one.found for one in planned], args.format))
    refused = any(isinstance(one.found, Refused) for one in planned)
    if args.format == "text":
        _say_where(planned, folders)
    return REFUSED if refused else DONE


def _planned(loaded: Loaded) -> list[_Planned]:
    scenario = loaded.scenario
    own = "-".join(filter(None, (scenario.name, scenario.variant))).replace("/", "_")
    strategies = _strategies(loaded)
    if len(strategies) == 1 and not loaded.default_world:
        return [_Planned(own, plan(scenario))]
    return [_Planned(name, plan(scenario, strategy)) for name, strategy in strategies.items()]


def _strategies(loaded: Loaded) -> dict[str, Strategy]:
    """By the name of their object; bare manifests are planned one and all."""
    if not loaded.default_world:
        return {"": loaded.scenario.strategy}
    manifests = loaded.scenario.manifests
    if manifests.rollouts:
        return {spec.name: ArgoRollout(spec.name) for spec in manifests.rollouts}
    return {spec.name: RollingUpdate(spec.name) for spec in manifests.deployments}


def _folder(out: Path | None, name: str, plans: int) -> Path:
    if out is None:
        return OUT / name / "plan"
    return out if plans == 1 else out / name


def _say_where(planned: list[_Planned], folders: list[Path]) -> None:
    for one, folder in zip(planned, folders, strict=True):
        if isinstance(one.found, Timetable):
            print(f"\nwritten to {folder}: " + ", ".join(sorted(item.name for item in folder.iterdir())))
