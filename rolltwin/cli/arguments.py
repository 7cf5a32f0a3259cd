"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from errno import EISDIR
from pathlib import Path

from scenarios.document import Loaded
from scenarios.document.limits import BUSY, occupation
from scenarios.findings import BadInput, Finding, Severity
from sim.model.controller import NEWEST, Controller
from sim.model.data_plane import DataPlaneMode

MOST_SEED = 2**53
"""The largest that every JSON reader keeps exactly."""


def add_scenario_arguments(parser: argparse.ArgumentParser, *, paths: str, seed: bool = True) -> None:
    """Scenario files or manifests, and what is changed in them; ``paths`` is argparse's nargs."""
    parser.add_argument(
        "paths",
        metavar="SCENARIO|MANIFESTS",
        nargs=paths,
        type=Path,
        help="scenario files, or manifests and folders of them",
    )
    add_reading_arguments(parser, seed=seed)


def add_reading_arguments(parser: argparse.ArgumentParser, *, seed: bool = True) -> None:
    """How scenarios and manifests are read, and what is changed in them."""
    add_changing_arguments(parser)
    add_controller_argument(parser)
    if seed:
        text = "master seed (default: the scenario's)"
        parser.add_argument("--seed", type=whole(0, MOST_SEED), metavar="N", help=text)


def add_changing_arguments(parser: argparse.ArgumentParser) -> None:
    """What is changed in scenarios and manifests, and what they are checked against."""
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="override one value of the scenario, e.g. --set traffic.stages[0].rate=500 (repeatable)",
    )
    parser.add_argument("--rollout", metavar="NAME", help="Rollout to release, where the manifests hold several")
    parser.add_argument("--crds", metavar="DIR", type=Path, help="check manifests against these CRDs instead of ours")


def add_locust_arguments(parser: argparse.ArgumentParser) -> None:
    """A Locust file as the traffic, started as Locust would be."""
    group = parser.add_argument_group("traffic of a Locust file (see traffic in rolltwin explain scenario)")
    group.add_argument("--locustfile", metavar="FILE", help="its users are the traffic")
    group.add_argument("--users", metavar="N", type=whole(1, 1_000_000), help="how many, if it has no LoadTestShape")
    group.add_argument("--spawn-rate", metavar="R", type=float, help="users started a second")
    group.add_argument("--run-time", metavar="T", type=_run_time, help="Locust's run ends after this, e.g. 30m")
    group.add_argument("--host", metavar="URL", help="base URL; matters only where a route names its host")


def add_controller_argument(parser: argparse.ArgumentParser) -> None:
    """The release of the Argo Rollouts controller."""
    parser.add_argument(
        "--controller",
        type=_controller,
        metavar="RELEASE",
        help=f"Argo Rollouts release to decide as: {', '.join(Controller)} (default: the scenario's, or {NEWEST})",
    )


def add_data_plane_argument(parser: argparse.ArgumentParser, default: DataPlaneMode | None = None) -> None:
    """How closely requests are simulated; ``default`` None: as the scenario says."""
    parser.add_argument(
        "--data-plane",
        choices=[mode.value for mode in DataPlaneMode],
        default=default,
        help="exact: every request; auto: counts and latencies only, where the error of that is bounded; aggregate: also "
        f"where it is not (default: {default or 'as the scenario says'})",
    )


def _controller(text: str) -> Controller:
    try:
        return Controller.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def overrides_of(args: argparse.Namespace) -> list[str]:
    """The overrides asked for with ``--set`` and by options that change the scenario."""
    rollout = [f"strategy={{kind: argo-rollout, rollout: {json.dumps(args.rollout)}}}"] if args.rollout else []
    chosen = [*controller_override(args.controller), *data_plane_override(getattr(args, "data_plane", None))]
    return [*rollout, *args.overrides, *locust_overrides(args), *chosen]


def locust_overrides(args: argparse.Namespace) -> list[str]:
    """The overrides that a Locust file given by option comes to; none for commands without it."""
    given = {name: getattr(args, name, None) for name in ("locustfile", "users", "spawn_rate", "run_time", "host")}
    return [f"traffic.{name}={json.dumps(value)}" for name, value in given.items() if value is not None]


def _run_time(text: str) -> str:
    """As Locust takes it: a number alone is seconds."""
    return f"{text}s" if text.isdecimal() else text


def controller_override(controller: Controller | None) -> list[str]:
    """The override that sets the controller's release; none if it was not given."""
    return [] if controller is None else [f"controller={controller}"]


def data_plane_override(mode: str | None) -> list[str]:
    """The override that says how closely requests are simulated; none if it was not given."""
    return [] if mode is None else [f"data_plane={mode}"]


def add_report_arguments(parser: argparse.ArgumentParser, formats: Sequence[str], out: Path | None) -> None:
    """Where a report's files go, and what of it is printed; ``out`` None: files only where asked for."""
    where = "where to write the report" if out is None else f"where to write (default: {out})"
    parser.add_argument("--out", metavar="DIR", type=Path, default=out, help=where)
    parser.add_argument(
        "--format", type=report_format(formats), metavar="|".join(formats), default="text", help="what to print"
    )


def report_format(known: Sequence[str]) -> Callable[[str], str]:
    """A reader of one of these formats; ``markdown`` is ``md``."""

    def parse(text: str) -> str:
        name = "md" if text == "markdown" else text
        if name not in known:
            msg = f"{text!r} is not among {', '.join(known)}"
            raise argparse.ArgumentTypeError(msg)
        return name

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers between two bounds."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            msg = f"{text!r} is not a whole number from {low} to {high}"
            raise argparse.ArgumentTypeError(msg)
        return number

    return parse


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


def name_world(loaded: Iterable[Loaded]) -> None:
    """Say on standard error which had no world of their own, and in which something keeps the release from mattering."""
    for item in loaded:
        if item.default_world:
            _note(
                item,
                "bare manifests, replayed with the packaged default traffic, behaviours and people (rolltwin explain default "
                "shows them; --set or a scenario file changes them)",
            )
        for note in item.notes:
            _note(item, note)
        for finding in item.unexposed:
            _note(item, f"{finding.message} ({finding.code}): its gate decides without data")
        busy = occupation(item.scenario)
        if busy is not None and busy > BUSY:
            _note(
                item,
                f"the offered traffic is {100 * busy:.0f} % of what the stable version's pods can serve: requests will queue "
                "and time out whatever the release does (--set 'traffic.stages[0].rate=...' or more replicas)",
            )


def _note(item: Loaded, text: str) -> None:
    print(f"rolltwin: {item.scenario.title}: {text}", file=sys.stderr)


def with_release(loaded: Loaded, name: str | None) -> Loaded:
    """The scenario with this kind of release (None: its own); BadInput if it has none of that name."""
    if name is None:
        return loaded
    known = {item.name: item for item in loaded.scenario.mix}
    if name not in known:
        hint = "releases here: " + ", ".join(known)
        raise BadInput(
            [Finding("RT800", Severity.ERROR, f"no release is named {name!r}", loaded.file, suggestion=hint)]
        )
    return loaded.with_release(name)


def usable_folder(folder: Path) -> Path:
    """The folder, created and proven writable before any long work; OSError, by its name, otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(dir=folder)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error
    os.close(handle)
    Path(name).unlink()
    return folder


def usable_file(file: Path) -> Path:
    """A file that can be written, in a folder that is created; OSError otherwise."""
    if file.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(file))
    usable_folder(file.parent)
    return file
