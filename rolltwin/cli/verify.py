"""Hold the twin against a real cluster: run both, compare decision by decision, say what was asked for and what holds.

Each scenario is run --runs times on a kind cluster (or in --context) under Locust load and --replications times in the
twin. Every cluster run is kept as soon as it ends, with its journal and how it was made, in --record (default: OUT/runs).
With --recorded no cluster is needed: kept runs are compared with the twin as it is now. Writes report.html, report.md,
verify.json and the figures to --out. What has to agree is read from --thresholds. Exits with 1 if it does not, and with 2
if something is missing on this machine or a run never came about.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import reports
from harness.backend import FAILURES
from harness.choices import Choices, Decides, Scrapes
from harness.missing import MissingError
from harness.profile import Profile, profile
from reports.scorecard import About
from reports.verify import thresholds
from reports.verify.card import Answer
from reports.verify.comparing import verify
from rolltwin.cli import arguments, studying
from rolltwin.cli.worlds import Subject, on_cluster, read_recorded, with_twin
from scenarios.compression import compression
from scenarios.document import read_many
from scenarios.document.load import is_scenario
from scenarios.findings import BadInput, Finding, Severity
from sim.model.controller import Controller

OUT = Path("rolltwin-out/verify")
REPLICATIONS = 100
AGREES, DIFFERS, UNUSABLE = 0, 1, 2
"""Exit statuses."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Who decides on the cluster, and as which release of the controller both worlds do (None: the scenario's)."""

    decides: Decides = Decides.ARGO
    release: Controller | None = None

    @classmethod
    def parse(cls, text: str) -> Maker:
        """``argo``, ``twin``, ``argo-1.8`` (the real controller), ``twin:argo-1.8``; ValueError for anything else."""
        who, colon, release = text.partition(":")
        if who in {one.value for one in Decides}:
            return cls(Decides(who), Controller.parse(release) if colon else None)
        return cls(Decides.ARGO, Controller.parse(text))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("paths", metavar="SCENARIO|MANIFESTS", nargs="*", type=Path, help="as for run; none with --recorded")  # fmt: skip
    arguments.add_changing_arguments(parser)
    arguments.add_locust_arguments(parser)
    parser.add_argument("--release", metavar="NAME", help="kind of release to roll out (default: the scenario's)")
    parser.add_argument(
        "--seed", type=arguments.whole(0, arguments.MOST_SEED), default=1, metavar="N", help="master seed (default: 1)"
    )
    parser.add_argument(
        "--replications",
        type=arguments.whole(1, studying.MOST_REPLICATIONS),
        default=REPLICATIONS,
        metavar="R",
        help=f"replications of the twin for each scenario (default: {REPLICATIONS})",
    )
    studying.add_study_arguments(parser)
    parser.add_argument("--thresholds", type=Path, default=thresholds.DEFAULT, metavar="FILE", help="what has to agree")
    _add_cluster_arguments(parser)
    arguments.add_report_arguments(parser, reports.FORMATS, OUT)
    parser.set_defaults(controller=None)


def _add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    cluster = parser.add_argument_group("the cluster's side")
    cluster.add_argument(
        "--runs", type=arguments.whole(1, 1000), default=1, metavar="N", help="runs of each scenario (default: 1)"
    )
    cluster.add_argument(
        "--controller",
        dest="maker",
        type=_maker,
        default=Maker(),
        metavar="argo|twin[:RELEASE]",
        help="who decides about a Rollout on the cluster, the real controller or the twin's own rules; with a RELEASE "
        f"({', '.join(Controller)}) both worlds decide as that one (default: argo)",
    )
    cluster.add_argument("--compress", type=_factor, default=1.0, metavar="F", help="run both worlds F times as fast")
    cluster.add_argument("--context", default="", metavar="CTX", help="this context of your kubeconfig instead of kind")
    cluster.add_argument("--kind-cluster", default="", metavar="NAME", help="this kind cluster, made if there is none")
    cluster.add_argument(
        "--network-delay", action="store_true", help="faults that only add time act on the network (tc on kind's nodes)"
    )
    cluster.add_argument(
        "--prometheus",
        choices=[where.value for where in Scrapes],
        default=Scrapes.CLUSTER.value,
        help="where the runs' Prometheus is; elsewhere than in the cluster the real controller does not reach it "
        "(default: cluster)",
    )
    cluster.add_argument("--keep-cluster", action="store_true", help="leave a kind cluster standing that was made")
    cluster.add_argument(
        "--profile",
        type=Path,
        metavar="FILE",
        help="the cluster's own delays for the twin, as python -m harness.profile writes them (default: those measured on "
        "kind, unless the scenario says something of its cluster)",
    )
    cluster.add_argument("--images", type=Path, metavar="FILE", help="images to use instead of the pinned ones")
    cluster.add_argument(
        "--database", default="", metavar="DSN", help="let every request of the application look into this PostgreSQL"
    )
    cluster.add_argument("--record", type=Path, metavar="DIR", help="keep the runs there (default: OUT/runs)")
    cluster.add_argument(
        "--recorded", type=Path, nargs="+", metavar="DIR", help="no cluster: compare the runs kept there"
    )


def run(args: argparse.Namespace) -> int:
    """Run or read the cluster's side, run the twin's, compare, write the report and print it."""
    asked = thresholds.load(args.thresholds)
    delays = _profile(args.profile)
    try:
        subjects, lost = (read_recorded(args.recorded, args.paths), 0) if args.recorded else _run(args)
    except (MissingError, *FAILURES) as error:
        print(f"rolltwin verify: {error}", file=sys.stderr)
        return UNUSABLE
    folder = arguments.usable_folder(args.out)
    if not subjects:
        return UNUSABLE
    subjects = [one.on(delays) for one in subjects]
    with studying.engine_of(args) as engine, studying.under_way() as progress:
        store = studying.store_of(args, folder)
        pairings = with_twin(subjects, asked, args.replications, args.seed, engine, store, progress)
    about = About(studying.command_line(), version("rolltwin"))
    found = verify(pairings, asked, args.replications, args.seed, about)
    reports.write_verification(found, folder)
    print(reports.render_verification(found, args.format))
    if args.format == "text":
        print(f"\nreport: {folder / 'report.html'}")
    if lost:
        return UNUSABLE
    return DIFFERS if found.answer is Answer.FAIL else AGREES


def _profile(file: Path | None) -> Profile | None:
    """The profile in the file that was named; BadInput if it is none."""
    try:
        return None if file is None else profile(file)
    except (OSError, ValueError) as error:
        finding = Finding(
            "RT800", Severity.ERROR, str(error), str(file), suggestion="python -m harness.profile writes one"
        )
        raise BadInput([finding]) from error


def _run(args: argparse.Namespace) -> tuple[list[Subject], int]:
    """Every scenario on the cluster; and how many of the runs never came about."""
    choices = Choices(
        folder=args.out / "logs",
        decides=args.maker.decides,
        context=args.context,
        kind_cluster=args.kind_cluster,
        scrapes=Scrapes(args.prometheus),
        database=args.database,
        network_delay=args.network_delay,
        keep_cluster=args.keep_cluster,
        images=args.images,
    )
    subjects = _subjects(args)
    arguments.usable_folder(args.out)
    kept = arguments.usable_folder(args.record or args.out / "runs")
    return on_cluster(subjects, choices, thresholds.load(args.thresholds), args.runs, args.seed, kept)


def _subjects(args: argparse.Namespace) -> list[Subject]:
    """The scenarios with the release chosen, and time compressed; BadInput for none."""
    if not args.paths:
        hint = "rolltwin verify SCENARIO..., or --recorded DIR"
        raise BadInput([Finding("RT800", Severity.ERROR, "no scenario is named", suggestion=hint)])
    overrides = [*arguments.overrides_of(args), *arguments.controller_override(args.maker.release)]
    loaded = read_many(args.paths, overrides, args.crds)
    arguments.name_world(loaded)
    bare = tuple(path for path in args.paths if not is_scenario(path))
    return [
        Subject(
            paths=bare if item.default_world else (Path(item.file),),
            overrides=tuple(overrides),
            written=chosen,
            run=compression(chosen, args.compress),
        )
        for item in loaded
        for chosen in [arguments.with_release(item, args.release)]
    ]


def _maker(text: str) -> Maker:
    try:
        return Maker.parse(text)
    except ValueError as error:
        msg = f"{text!r} is neither argo nor twin, with or without a release: {error}"
        raise argparse.ArgumentTypeError(msg) from error


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1 <= factor <= 1000:
        msg = f"{text!r} is not a number from 1 to 1000"
        raise argparse.ArgumentTypeError(msg)
    return factor
