"""Replay two versions of a policy on the same releases and say what changed in decisions and indicators.

OLD and NEW are each a scenario, a manifest or a folder of manifests, on disk or in Git as REV:PATH (rolltwin diff
main:k8s/ k8s/). Both meet the same requests, delays and faults, replication by replication. Writes report.html,
report.md, diff.json and the figures to --out. An interrupted diff goes on where it stopped.
"""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import reports
from reports.diff.card import Diff
from reports.outcome import Outcome, outcome_of
from reports.scorecard import About
from rolltwin.cli import arguments, studying
from scenarios.changes import WORLDS, Comparison, Side, compare, read_sides
from scenarios.findings import BadInput, Finding, Severity
from sim.model.behaviour import Release
from sim.model.records import RunResult
from sim.model.scenario import Scenario
from sim.study import Cell, Study, releases, run_once, run_until

LOOKS = (8, 16, 32)
"""Replications of each kind of release after which to stop, unless something is undecided."""
OUT = Path("rolltwin-out/diff")
WORSE = 1
"""Exit status of ``--fail-on worse``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    for name in ("old", "new"):
        parser.add_argument(name, metavar=name.upper(), help="scenario, manifest or folder of manifests; or REV:PATH")
    arguments.add_reading_arguments(parser)
    parser.add_argument("--world", choices=WORLDS, default="", help="replay both in the world of this side's scenario")
    parser.add_argument(
        "--replications",
        type=arguments.whole(1, studying.MOST_REPLICATIONS),
        metavar="N",
        help=f"of each kind of release (default: {LOOKS[0]}, then {' and '.join(map(str, LOOKS[1:]))} while undecided)",
    )
    parser.add_argument(
        "--replay", type=_replayed, metavar="RELEASE:SEED", help="only this release, told step by step on both sides"
    )
    parser.add_argument("--fail-on", choices=("worse",), help="exit 1 if an indicator or a decision got worse")
    studying.add_study_arguments(parser)
    arguments.add_report_arguments(parser, reports.FORMATS, OUT)


def run(args: argparse.Namespace) -> int:
    """Compare, replay, write the report and print it."""
    old, new = read_sides(args.old, args.new, arguments.overrides_of(args), args.crds)
    _name_worlds(old, new)
    policies = compare(old, new, args.world)
    folder = arguments.usable_folder(args.out)
    if args.replay is not None:
        return _replay(policies, args.replay, folder)
    _refuse_strangers(policies)
    found = _diff(policies, args, folder)
    runs = _shown(found)
    reports.write_diff(found, runs, folder)
    print(reports.render_diff(found, args.format, runs))
    if args.format == "text":
        print(f"\nreport: {folder / 'report.html'}")
    return WORSE if args.fail_on and found.worse else 0


def _diff(policies: Comparison, args: argparse.Namespace, folder: Path) -> Diff:
    """As many replications as asked for, or as it takes."""
    looks = LOOKS if args.replications is None else (args.replications,)
    about = About(studying.command_line(), version("rolltwin"))

    def result(study: Study[Outcome]) -> Diff:
        return reports.diff(study, policies, looks, about, _replay_command(args))

    with studying.engine_of(args) as engine, studying.under_way() as progress:
        study = run_until(
            (Cell("old", "", policies.old), Cell("new", "", policies.new)),
            looks,
            policies.old.seed if args.seed is None else args.seed,
            outcome_of,
            lambda study: reports.settled(result(study)),
            revive=Outcome.from_json,
            engine=engine,
            store=studying.store_of(args, folder),
            progress=progress,
        )
    return result(study)


def _replay_command(args: argparse.Namespace) -> str:
    """What the user typed, less what concerns the study, up to the release to be replayed."""
    given = (("--world", args.world), ("--crds", args.crds), ("--out", args.out if args.out != OUT else None))
    options = [
        *((("--set", text)) for text in arguments.overrides_of(args)),
        *((name, str(value)) for name, value in given if value),
    ]
    words = [part for option in options for part in option]
    return shlex.join(["rolltwin", "diff", args.old, args.new, *words, "--replay"])


def _shown(found: Diff) -> tuple[RunResult, RunResult] | None:
    """The first pair of the changed decision that matters most, replayed; None if no decision changed."""
    if not found.changed:
        return None
    item = found.changed[0]
    return _both(found.policies, item.release, item.seed)


def _both(policies: Comparison, release: str, seed: int) -> tuple[RunResult, RunResult]:
    old, new = (_with(scenario, release) for scenario in (policies.old, policies.new))
    return run_once(old, seed), run_once(new, seed)


def _replay(policies: Comparison, chosen: tuple[str, int], folder: Path) -> int:
    """One release on both sides, told one after the other, its files kept."""
    release, seed = chosen
    known = _common(policies)
    if release not in known:
        message = f"no release of both sides is named {release!r}"
        raise _refused(message, "releases here: " + ", ".join(known))
    for side, label, result in zip(WORLDS, policies.labels, _both(policies, release, seed), strict=True):
        place = folder / f"{release}-{seed}".replace("/", "_") / side
        reports.write_run(result, place)
        title = f"{side.upper()}: {label}"
        print(f"{title}\n{'=' * len(title)}\n{reports.run_text(result)}\n\nwritten to {place}\n")
    return 0


def _with(scenario: Scenario, name: str) -> Scenario:
    return replace(scenario, release=_releases(scenario)[name])


def _releases(scenario: Scenario) -> dict[str, Release]:
    return {release.name: release for release in releases(scenario)}


def _common(policies: Comparison) -> list[str]:
    return [name for name in _releases(policies.old) if name in _releases(policies.new)]


def _refuse_strangers(policies: Comparison) -> None:
    if not _common(policies):
        sides = (
            f"{side}: {', '.join(_releases(item))}" for side, item in (("old", policies.old), ("new", policies.new))
        )
        hint = f"--world old or --world new replays both in one world ({'; '.join(sides)})"
        message = "the two sides have no kind of release in common"
        raise _refused(message, hint)


def _refused(message: str, hint: str) -> BadInput:
    return BadInput([Finding("RT800", Severity.ERROR, message, suggestion=hint)])


def _name_worlds(*sides: Side) -> None:
    """Once for each, and only once if they are called the same."""
    arguments.name_world({side.scenario.title: side.loaded for side in sides}.values())


def _replayed(text: str) -> tuple[str, int]:
    release, _, seed = text.rpartition(":")
    if not release:
        msg = f"{text!r} is not RELEASE:SEED, as a diff prints it"
        raise argparse.ArgumentTypeError(msg)
    return release, arguments.whole(0, arguments.MOST_SEED)(seed)
