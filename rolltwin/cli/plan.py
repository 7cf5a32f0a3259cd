"""Print the timetable of a rollout before anything runs: steps, pods, weights, bounds, gates.

Of each Rollout (without one: of each Deployment) in the manifests, or of a scenario's strategy. Writes plan.svg,
plan.png and plan.json to --out (default: rolltwin-out/NAME/plan). Exits with 1 if the cluster would refuse one of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import reports
from rolltwin.cli.arguments import add_report_arguments, add_scenario_arguments, overrides_of, usable_folder
from rolltwin.cli.run import OUT
from scenarios import manifests
from scenarios.document import Loaded, read_many
from scenarios.document.load import is_scenario
from scenarios.findings import BadInput, Finding
from sim.model.strategy import ArgoRollout, RollingUpdate
from sim.timetable import Refused, Timetable, plan

DONE, REFUSED = 0, 1
"""Exit statuses."""
FORMATS = ("text", "json", "md")


@dataclass(frozen=True)
class _Planned:
    """One timetable and the name of its folder."""

    name: str
    found: Timetable | Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_scenario_arguments(parser, paths="+", seed=False)
    add_report_arguments(parser, FORMATS, None)


def run(args: argparse.Namespace) -> int:
    """Work out every timetable, write its files and print it."""
    planned = [_Planned(_name(item), plan(item.scenario)) for item in _read(args)]
    folders = [_folder(args.out, one.name, len(planned)) for one in planned]
    written = {
        folder: reports.write_timetable(one.found, usable_folder(folder))
        for one, folder in zip(planned, folders, strict=True)
        if isinstance(one.found, Timetable)
    }
    print(reports.render_timetables([one.found for one in planned], args.format))
    if args.format == "text":
        for folder, names in written.items():
            print(f"\nwritten to {folder}: {', '.join(names)}")
    return REFUSED if any(isinstance(one.found, Refused) for one in planned) else DONE


def _read(args: argparse.Namespace) -> list[Loaded]:
    """Each scenario, and the bare manifests once for each of their workloads; every error at once."""
    overrides = overrides_of(args)
    scenarios = [path for path in args.paths if is_scenario(path)]
    bare = [path for path in args.paths if path not in scenarios]
    inputs: list[tuple[list[Path], list[str]]] = [([path], overrides) for path in scenarios]
    if bare:
        inputs += [(bare, [*choice, *overrides]) for choice in _workloads(bare, args.crds, chosen=bool(args.rollout))]
    loaded: list[Loaded] = []
    findings: list[Finding] = []
    for paths, changes in inputs:
        try:
            loaded += read_many(paths, changes, args.crds)
        except BadInput as error:
            findings += error.findings
    if findings:
        raise BadInput(findings)
    return loaded


def _workloads(bare: Sequence[Path], crds: Path | None, *, chosen: bool) -> list[list[str]]:
    """The overrides that choose each Rollout, or else each Deployment; nothing to choose where there is no choice."""
    objects = manifests.typed(manifests.load(bare, crds))
    names = list(dict.fromkeys(spec.name for spec in objects.rollouts))
    kind, key = "argo-rollout", "rollout"
    if not names:
        names = list(dict.fromkeys(spec.name for spec in objects.deployments))
        kind, key = "rolling-update", "deployment"
    if chosen or len(names) < 2:
        return [[]]
    return [[f"strategy={{kind: {kind}, {key}: {json.dumps(name)}}}"] for name in names]


def _name(loaded: Loaded) -> str:
    """The folder's name: that of the scenario, or of the workload of bare manifests."""
    scenario = loaded.scenario
    parts = [scenario.name, scenario.variant]
    if loaded.default_world:
        match scenario.strategy:
            case ArgoRollout(name) | RollingUpdate(name):
                parts = [name]
            case _:
                pass
    return "-".join(filter(None, parts)).replace("/", "_")


def _folder(out: Path | None, name: str, plans: int) -> Path:
    if out is None:
        return OUT / name / "plan"
    return out if plans == 1 else out / name
