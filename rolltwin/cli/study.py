"""Compare strategies and settings on the same random numbers, until it is known precisely enough.

Every scenario is replayed with every combination of the --param values, all of them on the same releases, requests, delays
and faults. Prints each indicator and its paired difference to the first setting (or --baseline). With --precision it goes on
until those differences are known so precisely, or --max-replications is reached. Writes report.md, study.json, study.csv and
differences.svg to --out. The same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import product
from pathlib import Path

import reports
from reports.outcome import Outcome, outcome_of
from reports.scorecard import About
from reports.study.card import Setting, Wish
from reports.study.comparing import SHOWN, Question, compare_settings, precise
from rolltwin.cli import arguments, studying
from scenarios.document import Loaded, read_many
from scenarios.findings import BadInput, Finding, Severity
from scenarios.settings import Editor, Parameter, read_parameters
from sim.model.data_plane import DataPlaneMode
from sim.model.kpis import KPI_MEANINGS, Kpi
from sim.model.units import go_duration_s
from sim.study import Cell, Study, looks_up_to, run_until, strata

REPLICATIONS = 30
MOST = 1000
MOST_SETTINGS = 500
_POINTS = 5
"""Values taken from a range LOW..HIGH."""
OUT = Path("rolltwin-out/study")
FORMATS = ("text", "json", "csv", "md")
_MINUTES = {"min": 60.0, "h": 3600.0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    arguments.add_scenario_arguments(parser, paths="+")
    arguments.add_locust_arguments(parser)
    parser.add_argument(
        "--param",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME=A,B,C",
        help=f"a value of the manifests or the scenario and what to try for it; of a range LOW..HIGH {_POINTS} values "
        "(repeatable: all combinations)",
    )
    parser.add_argument(
        "--baseline", metavar="SETTING", help="compare with this setting, by number from 1 or as printed"
    )
    parser.add_argument(
        "--replications",
        type=arguments.whole(1, studying.MOST_REPLICATIONS),
        metavar="N",
        help=f"of each kind of release (default: {REPLICATIONS}; with --precision as many as it takes)",
    )
    parser.add_argument(
        "--precision",
        dest="wishes",
        action="append",
        type=_wish,
        default=[],
        metavar="KPI=HALFWIDTH",
        help="go on until this indicator's differences (of one setting: its value) are known to so much on either side, e.g. "
        "time_to_detect=30s or false_abort_rate=1%% (repeatable)",
    )
    parser.add_argument(
        "--max-replications",
        dest="most",
        type=arguments.whole(2, studying.MOST_REPLICATIONS),
        default=MOST,
        metavar="N",
        help=f"with --precision: stop at so many of each kind of release (default: {MOST})",
    )
    parser.add_argument(
        "--kpis",
        type=arguments.words(tuple(Kpi)),
        default=tuple(SHOWN),
        help=f"indicators to show, comma-separated (default: {','.join(SHOWN)}; data files have all)",
    )
    studying.add_study_arguments(parser, data_plane=DataPlaneMode.AUTO)
    arguments.add_report_arguments(parser, FORMATS, OUT)


def run(args: argparse.Namespace) -> int:
    """Run the study, write its files and print it."""
    found = _settings(args)
    cells = [Cell(setting.label, loaded.scenario.variant, loaded.scenario) for setting, loaded in found]
    question = Question(
        settings=tuple(setting for setting, _ in found),
        baseline=_baseline(args.baseline, [setting.label for setting, _ in found]),
        looks=_looks(args),
        wishes=tuple(args.wishes),
        shown=tuple(Kpi(name) for name in args.kpis),
    )
    _refuse_strangers(cells, question.baseline)
    about = About(studying.command_line(), version("rolltwin"))
    folder = arguments.usable_folder(args.out)

    def settled(study: Study[Outcome]) -> bool:
        return precise(compare_settings(study, question, about))

    with studying.engine_of(args) as engine, studying.under_way() as progress:
        study = run_until(
            cells,
            question.looks,
            cells[0].scenario.seed if args.seed is None else args.seed,
            outcome_of,
            settled,
            revive=Outcome.from_json,
            engine=engine,
            store=studying.store_of(args, folder),
            progress=progress,
        )
    card = compare_settings(study, question, about)
    reports.write_study(card, folder)
    print(reports.render_study(card, args.format))
    if args.format == "text":
        print(f"\nreport: {folder / 'report.md'}, figure: {folder / 'differences.svg'}")
    return 0


def _looks(args: argparse.Namespace) -> tuple[int, ...]:
    if not args.wishes:
        return (args.replications or REPLICATIONS,)
    return (args.replications,) if args.replications else looks_up_to(args.most)


def _settings(args: argparse.Namespace) -> list[tuple[Setting, Loaded]]:
    """Every scenario with every combination of values; BadInput with all that is wrong with any of them."""
    loaded = read_many(args.paths, arguments.overrides_of(args), args.crds)
    arguments.name_world(loaded)
    parameters = read_parameters(args.parameters)
    values = [parameter.values.points(_POINTS) for parameter in parameters]
    count = len(loaded)
    for several in values:
        count *= len(several)
    if count > MOST_SETTINGS:
        message = f"{count} settings are more than {MOST_SETTINGS}"
        raise _refused(message, "try fewer values, or rolltwin tune")
    found = [pair for item in loaded for pair in _of_one(item, parameters, values, alone=len(loaded) == 1)]
    labels = [setting.label for setting, _ in found]
    if twice := [label for label in labels if labels.count(label) > 1]:
        message = f"two settings are both called {twice[0]!r}"
        raise _refused(message, "give the scenarios different names or variants")
    return found


def _of_one(
    loaded: Loaded, parameters: Sequence[Parameter], values: Sequence[tuple[str, ...]], *, alone: bool
) -> Iterator[tuple[Setting, Loaded]]:
    if not parameters:
        yield Setting(_name(loaded), ()), loaded
        return
    editor = Editor(loaded, parameters)
    short = _short([parameter.name for parameter in parameters])
    for chosen in product(*values):
        made = dict(zip(parameters, chosen, strict=True))
        text = ", ".join(f"{name}={value}" for name, value in zip(short, chosen, strict=True))
        label = text if alone else f"{_name(loaded)}: {text}"
        yield (
            Setting(label, tuple((parameter.name, value) for parameter, value in made.items())),
            editor.with_settings(made),
        )


def _name(loaded: Loaded) -> str:
    scenario = loaded.scenario
    name = scenario.name or scenario.title
    return f"{name} ({scenario.variant})" if scenario.variant else name


def _short(names: Sequence[str]) -> list[str]:
    """Names without what all of them begin with, as far as whole parts go: ``steps[0].setWeight`` of ``canary.steps[0]...``."""
    parts = [name.split(".") for name in names]
    shared = 0
    while all(shared < len(part) - 1 for part in parts) and len({part[shared] for part in parts}) == 1:
        shared += 1
    return [".".join(part[shared:]) for part in parts]


def _baseline(text: str | None, labels: Sequence[str]) -> int:
    if text is None:
        return 0
    if text in labels:
        return labels.index(text)
    if text.isdecimal() and 1 <= int(text) <= len(labels):
        return int(text) - 1
    shown = ", ".join(f"{number} ({label})" for number, label in enumerate(labels, 1))
    message = f"no setting is {text!r}"
    raise _refused(message, f"settings here: {shown}")


def _refuse_strangers(cells: Sequence[Cell], baseline: int) -> None:
    """Paired are only replications of the same release."""
    kinds = strata(cells[baseline].scenario)
    for cell in cells:
        if strata(cell.scenario) != kinds:
            message = f"{cell.name} meets other kinds of release than {cells[baseline].name}"
            raise _refused(
                message, "give all scenarios the same mix of releases, or compare two with rolltwin diff --world"
            )


def _refused(message: str, hint: str) -> BadInput:
    return BadInput([Finding("RT800", Severity.ERROR, message, suggestion=hint)])


def _wish(text: str) -> Wish:
    name, _, written = text.partition("=")
    if name not in tuple(Kpi):
        msg = f"{name!r} is no indicator: {', '.join(Kpi)}"
        raise argparse.ArgumentTypeError(msg)
    kpi = Kpi(name)
    width = _amount(written.strip(), KPI_MEANINGS[kpi].unit)
    if not 0 < width < float("inf"):
        msg = f"{text!r}: {written!r} is no positive number of {KPI_MEANINGS[kpi].unit}"
        raise argparse.ArgumentTypeError(msg)
    return Wish(kpi, width)


def _amount(text: str, unit: str) -> float:
    """A number in the indicator's unit; percentages and durations too. 0 for anything else."""
    try:
        if unit == "share" and text.endswith("%"):
            return float(text.removesuffix("%")) / 100
        return float(text)
    except ValueError:
        pass
    try:
        return go_duration_s(text) / _MINUTES[unit]
    except (ValueError, KeyError, IndexError):
        return 0.0
