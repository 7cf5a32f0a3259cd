"""Say what each gate of a rollout can tell at your traffic: chances of false aborts and of misses.

For each metric of each analysis run: the requests one measurement rests on, how likely it aborts a healthy release and
misses a bad one, by a closed form and by simulation, and the least share, window, count or traffic that would do.
Writes power.svg, report.md and power.json to --out (default: rolltwin-out/NAME/power).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import reports
from reports.numbers import digits
from reports.power.building import Readings, Source, build
from reports.power.card import Power
from reports.power.reading import Reading, reading_of
from reports.power.words import value
from reports.scorecard import About
from rolltwin.cli import arguments, studying
from rolltwin.cli.run import OUT
from scenarios.document import Loaded, read_many
from scenarios.findings import BadInput, Finding, Severity
from scenarios.power.asking import Asked, Axis, at_rate, axes_of, with_healthy
from scenarios.power.courses import Curves
from scenarios.power.models import Gateless, Rollout, rollout_of
from scenarios.power.replicas import observed
from scenarios.power.world import Truth
from sim.model.data_plane import DataPlaneMode
from sim.study import Cell, run_study

T = TypeVar("T")

REPLICATIONS = 50
FORMATS = ("text", "json", "md")
_MOST_RPS = 1e7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    arguments.add_scenario_arguments(parser, paths="+")
    asked = parser.add_argument_group("what is asked")
    asked.add_argument(
        "--rps", type=_rps, metavar="R", help="requests a second, constant (default: the scenario's traffic)"
    )
    asked.add_argument("--healthy", type=_share, metavar="RATIO", help="error ratio of a healthy release, e.g. 0.1%%")
    asked.add_argument("--release", type=_share, metavar="RATIO", help="error ratio of the bad release, e.g. 1%%")
    asked.add_argument("--slower", type=_slower, metavar="2x|+100ms", help="service times of the bad release")
    asked.add_argument(
        "--grid", type=_list_of(_share), default=(), metavar="RATIO,...", help="error ratios to simulate"
    )
    asked.add_argument(
        "--latency-grid", type=_list_of(_slower), default=(), metavar="1.5x,...", help="service times to simulate"
    )
    asked.add_argument(
        "--power", type=_share, default=0.95, metavar="P", help="wanted: abort of the bad (default: 0.95)"
    )
    asked.add_argument(
        "--false-abort",
        type=_share,
        default=0.01,
        metavar="P",
        help="wanted: abort of the healthy, at most (default: 0.01)",
    )
    parser.add_argument(
        "--replications",
        type=arguments.whole(0, studying.MOST_REPLICATIONS),
        default=REPLICATIONS,
        metavar="N",
        help=f"of each true value; 0: closed forms only (default: {REPLICATIONS})",
    )
    studying.add_study_arguments(parser, data_plane=DataPlaneMode.AUTO)
    arguments.add_report_arguments(parser, FORMATS, None)


def run(args: argparse.Namespace) -> int:
    """Judge every Rollout, write its files and print them."""
    asked = _asked(args)
    loaded = [_asked_of(item, asked) for item in read_many(args.paths, arguments.overrides_of(args), args.crds)]
    arguments.name_world(loaded)
    rollouts = [(item, rollout_of(item.scenario)) for item in loaded]
    found: list[Power | Gateless] = []
    for item, one in rollouts:
        if isinstance(one, Gateless):
            found.append(one)
            continue
        folder = arguments.usable_folder(_folder(args.out, item, len(loaded)))
        made = _power(one, args, asked, folder)
        found.append(made)
        names = reports.write_power(made, folder)
        if args.format == "text":
            print(f"{reports.render_powers([made], 'text')}\n\nwritten to {folder}: {', '.join(names)}")
    rest = [one for one in found if args.format != "text" or isinstance(one, Gateless)]
    if rest:
        print(reports.render_powers(rest, args.format))
    return 0


def _asked_of(item: Loaded, asked: Asked) -> Loaded:
    """The scenario under the traffic and with the healthy release that were asked for."""
    return replace(item, scenario=with_healthy(at_rate(item.scenario, asked.rps), asked.healthy))


def _power(rollout: Rollout, args: argparse.Namespace, asked: Asked, folder: Path) -> Power:
    curves = Curves(rollout)
    axes = axes_of(curves, asked)
    for axis in axes:
        if axis.bad <= axis.healthy:
            message = f"the bad release ({value(axis, axis.bad)}) is no worse than the healthy one ({value(axis, axis.healthy)})"
            raise _refused(message=message, hint="--release RATIO above --healthy RATIO")
    seed = rollout.scenario.seed if args.seed is None else args.seed
    readings = _readings(rollout, axes, args, seed, folder)
    about = About(studying.command_line(), version("rolltwin"))
    return build(Source(curves, asked, axes, readings, seed), about, _rate(rollout))


def _readings(rollout: Rollout, axes: Sequence[Axis], args: argparse.Namespace, seed: int, folder: Path) -> Readings:
    """Every simulated release's replications; the healthy one stands on both axes, but is run once."""
    truths = list(dict.fromkeys(axis.truth(x) for axis in axes for x in axis.grid))
    if not args.replications:
        return {}
    cells = [Cell(_name(truth), "", observed(rollout.scenario, truth)) for truth in truths]
    with studying.under_way() as progress, studying.engine_of(args) as engine:
        study = run_study(
            cells,
            args.replications,
            seed,
            reading_of,
            revive=Reading.from_json,
            engine=engine,
            store=studying.store_of(args, folder),
            progress=progress,
        )
    return {truth: tuple(cell.strata[0].values) for truth, cell in zip(truths, study.cells, strict=True)}


def _name(truth: Truth) -> str:
    return f"errors {truth.errors:g}, times {truth.factor:g}, plus {truth.add_s:g} s"


def _rate(rollout: Rollout) -> str:
    """The traffic in words; of several regions that of the first."""
    rate = rollout.flow.rate_rps(max(0.0, rollout.flow.begins_s))
    load = rollout.scenario.load
    constant = len(load.stages) == 1 and load.diurnal is None and not load.bursts
    where = f" in {rollout.region}" if rollout.region else ""
    return f"{digits(rate)} requests/s{where}{'' if constant else ' when the release gets its first'}"


def _asked(args: argparse.Namespace) -> Asked:
    slower = [one for one in (args.slower, *args.latency_grid) if one is not None]
    added = {one[1] for one in slower}
    if len(added) > 1:
        raise _refused(
            message="--slower and --latency-grid mix factors (2x) and times (+100ms)", hint="write all of them alike"
        )
    if args.slower is not None and args.slower[0] <= (0.0 if args.slower[1] else 1.0):
        raise _refused(
            message="--slower makes the bad release no slower than the healthy one", hint="for example 2x or +100ms"
        )
    return Asked(
        args.rps,
        args.healthy,
        args.release,
        args.slower[0] if args.slower else None,
        added == {True},
        args.grid,
        tuple(one[0] for one in args.latency_grid),
        args.power,
        args.false_abort,
    )


def _refused(*, message: str, hint: str) -> BadInput:
    return BadInput([Finding("RT800", Severity.ERROR, message, suggestion=hint)])


def _folder(out: Path | None, item: Loaded, count: int) -> Path:
    scenario = item.scenario
    name = "-".join(filter(None, (scenario.name, scenario.variant))).replace("/", "_")
    if out is None:
        return OUT / name / "power"
    return out if count == 1 else out / name


def _rps(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate <= _MOST_RPS:
        msg = f"{text!r} is no number of requests a second from 0 to {_MOST_RPS:,.0f}"
        raise argparse.ArgumentTypeError(msg)
    return rate


def _share(text: str) -> float:
    """``1%`` or ``0.01``."""
    bare = text.strip()
    try:
        share = float(bare[:-1]) / 100 if bare.endswith("%") else float(bare)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        msg = f"{text!r} is no share: write 1% or 0.01"
        raise argparse.ArgumentTypeError(msg)
    return share


_SLOWER = re.compile(r"(?:(?P<factor>\d+(?:\.\d+)?)x|\+(?P<added>\d+(?:\.\d+)?)(?P<unit>ms|s))")


def _slower(text: str) -> tuple[float, bool]:
    """(2, False) of ``2x``, (100, True) of ``+100ms``."""
    found = _SLOWER.fullmatch(text.strip())
    if found is None:
        msg = f"{text!r} is neither a factor (2x) nor a time (+100ms)"
        raise argparse.ArgumentTypeError(msg)
    if found["factor"]:
        return float(found["factor"]), False
    return float(found["added"]) * (1.0 if found["unit"] == "ms" else 1000.0), True


def _list_of(one: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """A reader of several, comma-separated."""

    def parse(text: str) -> tuple[T, ...]:
        return tuple(one(part) for part in text.split(",") if part.strip())

    return parse
