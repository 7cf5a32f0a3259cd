"""Search for a better policy and hand it over as a patch of your own YAML.

Tries settings of the values named with --param (by default pauses, weights, intervals, counts, limits and thresholds of
the gates, each within reason), as written and as a person would change them first, then as Optuna's sampler proposes; all
meet the same releases. The chosen one is compared with the policy as written on fresh releases. Writes report.md, tune.json,
front.svg and patch.diff to --out. An interrupted search goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import reports
from reports.scorecard import About
from reports.scoring import LEVEL
from reports.tune.card import Asked
from reports.tune.measures import Constraint, Objective, read_constraint, read_objective
from rolltwin.cli import arguments, studying
from scenarios.document import Loaded, read_many
from scenarios.findings import BadInput, Finding, Severity
from scenarios.settings import Bound, Editor, default_parameters, read_parameters
from sim.model.data_plane import DataPlaneMode
from sim.study import StudyInterrupted, strata

OUT = Path("rolltwin-out/tune")
OBJECTIVES = ("failed_requests", "deployment_duration")
CONSTRAINTS = ("false_abort_rate<=1%",)
STORAGE = "trials.journal"
MOST_TRIALS = 10_000
FORMATS = ("text", "json", "md")
SAMPLERS = ("tpe", "nsga2")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    arguments.add_scenario_arguments(parser, paths="+")
    search = parser.add_argument_group("the search")
    search.add_argument(
        "--objective",
        dest="objectives",
        action="append",
        metavar="KPI[@RELEASE][:STAT][:min|max]",
        help="what to make small, e.g. deployment_duration@good or time_to_detect@errors-5:p95 (repeatable; default: "
        f"{' and '.join(OBJECTIVES)})",
    )
    search.add_argument(
        "--constraint",
        dest="constraints",
        action="append",
        metavar="KPI[@RELEASE][:STAT]<LIMIT",
        help=f"what a policy must keep to, e.g. 'time_to_detect@errors-5:p99<2m' (repeatable; default: {CONSTRAINTS[0]}; "
        "none for none)",
    )
    search.add_argument(
        "--param",
        dest="params",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="a value to vary: canary.steps[1].pause=1m..10m, analysis.METRIC.failureLimit=0..3, "
        "TEMPLATE.metrics[METRIC].successCondition=0.99..0.999, a key of the scenario; LOW..HIGH:log, LOW..HIGH:STEP or "
        "A,B,C (repeatable; default: every pause, weight and gate found)",
    )
    search.add_argument("--list-params", action="store_true", help="print the default --param options and stop")
    search.add_argument(
        "--trials",
        type=arguments.whole(1, MOST_TRIALS),
        default=60,
        metavar="N",
        help="settings to propose (default: 60); others are tried beside them",
    )
    search.add_argument(
        "--replications",
        type=arguments.whole(2, 1000),
        default=16,
        metavar="N",
        help="of each kind of release and setting, unless it is stopped early (default: 16)",
    )
    search.add_argument(
        "--sampler",
        choices=SAMPLERS,
        default=SAMPLERS[0],
        help="who proposes settings: tree-structured Parzen estimators, or NSGA-II, which takes more of them but spreads over "
        "the whole front (default: tpe)",
    )
    search.add_argument("--timeout", type=_duration, metavar="T", help="begin no setting after this, e.g. 30m")
    search.add_argument(
        "--storage", metavar="FILE|URL", help=f"Optuna storage of the settings tried (default: {STORAGE} in --out)"
    )
    search.add_argument(
        "--held-out",
        type=arguments.whole(0, 100_000),
        metavar="N",
        help="fresh replications of each kind for the final comparison (default: as many as the constraints on shares need to be "
        "decided, within a maximum that the report states)",
    )
    studying.add_study_arguments(parser, data_plane=DataPlaneMode.AUTO)
    arguments.add_report_arguments(parser, FORMATS, OUT)


def run(args: argparse.Namespace) -> int:
    """Search, choose, compare on fresh releases, write the report and print it."""
    loaded = _scenario(args)
    parameters = read_parameters(args.params) if args.params else default_parameters(loaded)
    if args.list_params:
        print("\n".join(f"--param '{item.text}'" for item in parameters))
        return 0
    if not parameters:
        hint = "name some with --param NAME=VALUES"
        raise BadInput([_finding("there is nothing to tune in these manifests", hint)])
    asked_for = _asked_for(args, loaded)
    editor = Editor(loaded, parameters)
    arguments.name_world([loaded])
    if not args.params:
        _say("no --param is given, so these are tried; copy and narrow them:")
        print("\n".join(f"  --param '{item.text}'" for item in parameters), file=sys.stderr)
    _need_optuna()
    return _tune(args, loaded, editor, *asked_for)


def _tune(
    args: argparse.Namespace,
    loaded: Loaded,
    editor: Editor,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
) -> int:
    from rolltwin.tuning import tuning  # noqa: PLC0415 - Optuna is an extra

    folder = arguments.usable_folder(args.out)
    asked = _asked(args, loaded, editor.bound, objectives, constraints)
    deadline = None if args.timeout is None else monotonic() + args.timeout
    about = About(studying.command_line(), version("rolltwin"))
    with _under_way() as progress, studying.engine_of(args) as engine:
        found = tuning.tune(
            asked,
            editor,
            tuning.Means(
                engine,
                studying.store_of(args, folder),
                args.storage or str(folder / STORAGE),
                deadline,
                args.held_out,
                about,
                progress,
            ),
        )
    reports.write_tuning(found, folder)
    print(reports.render_tuning(found, args.format))
    if args.format == "text":
        print(f"\nreport: {folder / 'report.md'}, figure: {folder / 'front.svg'}")
        if found.patch:
            print(f"apply:  {found.apply} < {folder / 'patch.diff'}")
    return 0


def _scenario(args: argparse.Namespace) -> Loaded:
    loaded = read_many(args.paths, arguments.overrides_of(args), args.crds)
    if len(loaded) != 1:
        raise BadInput([_finding("one scenario is tuned at a time", "name one scenario file, or manifests alone")])
    return loaded[0]


def _asked_for(args: argparse.Namespace, loaded: Loaded) -> tuple[list[Objective], list[Constraint]]:
    """Objectives and constraints; BadInput with all that are none."""
    found = strata(loaded.scenario)
    findings: list[Finding] = []
    objectives = [
        read_objective(text, found)
        for text in _read(
            args.objectives or OBJECTIVES, "objective", findings, lambda text: read_objective(text, found)
        )
    ]
    wanted = [] if args.constraints == ["none"] else _default_constraints(args, loaded)
    constraints = [
        read_constraint(text, found)
        for text in _read(wanted, "constraint", findings, lambda text: read_constraint(text, found))
    ]
    if twice := {item.measure.text for item in objectives if [o.measure for o in objectives].count(item.measure) > 1}:
        findings += [_finding(f"--objective {text} is given twice") for text in sorted(twice)]
    if findings:
        raise BadInput(findings)
    return objectives, constraints


def _default_constraints(args: argparse.Namespace, loaded: Loaded) -> Sequence[str]:
    good = any(stratum.good for stratum in strata(loaded.scenario))
    return args.constraints or (CONSTRAINTS if good else ())


def _read(texts: Sequence[str], option: str, findings: list[Finding], read: Callable[[str], object]) -> Iterator[str]:
    """Those that can be read; a finding for each that cannot."""
    for text in texts:
        try:
            read(text)
        except ValueError as error:
            findings.append(Finding("RT800", Severity.ERROR, str(error), f"--{option} {text}", 1, 1))
            continue
        yield text


def _asked(
    args: argparse.Namespace,
    loaded: Loaded,
    bound: Sequence[Bound],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
) -> Asked:
    measures = [*(item.measure for item in objectives), *(item.measure for item in constraints)]
    kinds = [one.name for one in strata(loaded.scenario) if any(measure.concerns(one) for measure in measures)]
    looks = [look for look in (4, 8, 16, 32, 64, 128, 256, 512) if look < args.replications]
    return Asked(
        title=loaded.scenario.title,
        scenario_hash=loaded.hash,
        objectives=tuple(objectives),
        constraints=tuple(constraints),
        space=tuple(
            (item.parameter.name, item.parameter.text.partition("=")[2], item.target.current, item.target.place)
            for item in bound
        ),
        releases=tuple(kinds),
        seed=loaded.scenario.seed if args.seed is None else args.seed,
        trials=args.trials,
        looks=(*looks, args.replications),
        level=LEVEL,
        sampler=args.sampler,
    )


def _need_optuna() -> None:
    if find_spec("optuna") is None:
        raise BadInput([_finding("rolltwin tune needs Optuna, which is not installed", "pip install 'rolltwin[tune]'")])


def _finding(message: str, hint: str = "") -> Finding:
    return Finding("RT800", Severity.ERROR, message, suggestion=hint)


def _duration(text: str) -> float:
    from sim.model.units import go_duration_s  # noqa: PLC0415

    try:
        return go_duration_s(f"{text}s" if text.isdecimal() else text)
    except (ValueError, IndexError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _say(text: str) -> None:
    print(f"rolltwin tune: {text}", file=sys.stderr)


@contextmanager
def _under_way() -> Iterator[Callable[[str, int, int | None], None]]:
    """Progress on standard error; an interruption says how to go on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("settings", total=None)
            yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
    except KeyboardInterrupt as stop:
        said = f"{stop} " if isinstance(stop, StudyInterrupted) else ""
        hint = f"{said}Nothing is lost; go on with: {studying.command_line()}"
        raise KeyboardInterrupt(hint) from None
