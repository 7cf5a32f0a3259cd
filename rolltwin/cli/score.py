"""Score strategies against the DORA KPIs, with intervals: the main job.

Without a path it scores the packaged playbook: canary, blue-green, rolling update, hotfix and geographic rollout, as
written, repaired and corrected, over one mix of good and bad releases that all of them meet alike. Writes report.html,
report.md, score.json and the figures to --out. Finished replications are kept there too: the same command goes on
where it was interrupted.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

import reports
from reports.dora import DEFAULT_YEAR, YEARS
from reports.outcome import Outcome, outcome_of
from rolltwin.cli import arguments, studying
from scenarios import library
from scenarios.document import Loaded, load, read_many
from scenarios.findings import BadInput, Finding, Severity
from sim.study import Cell, run_study

REPLICATIONS = 3
"""Per kind of release: with seven kinds, 21 replications a cell."""
OUT = Path("rolltwin-out/score")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    arguments.add_scenario_arguments(parser, paths="*")
    arguments.add_locust_arguments(parser)
    parser.add_argument(
        "--replications",
        type=arguments.whole(1, studying.MOST_REPLICATIONS),
        default=REPLICATIONS,
        metavar="N",
        help=f"replications of each kind of release (default: {REPLICATIONS})",
    )
    parser.add_argument(
        "--strategies",
        type=arguments.words(library.STRATEGIES),
        default=library.STRATEGIES,
        help="of the playbook, comma-separated: " + ", ".join(library.STRATEGIES),
    )
    parser.add_argument(
        "--variant",
        dest="variants",
        type=arguments.words(library.VARIANTS),
        default=library.VARIANTS,
        help="of the playbook, comma-separated: " + ", ".join(library.VARIANTS),
    )
    studying.add_study_arguments(parser)
    parser.add_argument(
        "--dora-year", type=int, choices=YEARS, default=DEFAULT_YEAR, help="DORA report to compare with"
    )
    arguments.add_report_arguments(parser, reports.FORMATS, OUT)


def run(args: argparse.Namespace) -> int:
    """Run the study, score it, write the report and print it."""
    cells = _cells(args)
    folder = arguments.usable_folder(args.out)
    seed = cells[0].scenario.seed if args.seed is None else args.seed
    command = studying.command_line()
    with studying.engine_of(args) as engine, studying.under_way() as progress:
        study = run_study(
            cells,
            args.replications,
            seed,
            outcome_of,
            revive=Outcome.from_json,
            engine=engine,
            store=studying.store_of(args, folder),
            progress=progress,
        )
    score = reports.score(study, dora_year=args.dora_year, command=command, version=version("rolltwin"))
    reports.write_report(score, folder)
    print(reports.render_score(score, args.format))
    if args.format == "text":
        print(f"\nreport: {folder / 'report.html'}")
    return 0


def _cells(args: argparse.Namespace) -> list[Cell]:
    loaded = read_many(args.paths, arguments.overrides_of(args), args.crds) if args.paths else _playbook(args)
    arguments.name_world(loaded)
    cells = [Cell(item.scenario.name, item.scenario.variant, item.scenario) for item in loaded]
    names = [(cell.name, cell.variant) for cell in cells]
    for item, name in zip(loaded, names, strict=True):
        if names.count(name) > 1:
            message = f"two scenarios are both named {name[0]!r}, variant {name[1]!r}"
            hint = "give them different names or variants"
            raise BadInput([Finding("RT800", Severity.ERROR, message, item.file, suggestion=hint)])
    return cells


def _playbook(args: argparse.Namespace) -> tuple[Loaded, ...]:
    return tuple(
        load(library.playbook(strategy, variant), arguments.overrides_of(args), args.crds)
        for strategy in args.strategies
        for variant in args.variants
    )
