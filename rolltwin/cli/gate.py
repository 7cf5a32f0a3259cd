"""Decide whether a policy keeps its claims, each at a stated error rate: for a job that guards manifests.

A policy file states claims such as "a version failing 5 % of requests is aborted within 6 minutes in at least 99 % of
replications" (rolltwin explain policy shows all that it may hold). Each claim is looked at replication by replication
until a sequential probability ratio test has an answer, so that clear cases end early. Finished replications are kept
in --out: the same command goes on where it was interrupted, and a changed claim is decided from what is already there.

Exit codes: 0 every claim passed, 1 a claim failed, 2 input that cannot be used, 3 no claim failed but one is undecided.
Writes report.md, gate.json, claims.svg and claims.png to --out, and a summary of the job to $GITHUB_STEP_SUMMARY.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

import reports
from reports.files import write_atomically
from reports.findings import render
from reports.gate import words
from reports.gate.card import Gate
from reports.gate.plan import plan_text
from reports.gate.sprt import Answer, Sprt, State
from rolltwin import gating
from rolltwin.cli import arguments, studying
from scenarios import library, rules
from scenarios.policy.load import load
from sim.model.controller import Controller

OUT = Path("rolltwin-out/gate")
FORMATS = ("text", "json", "md", "github")
CODES = {Answer.PASSED: 0, Answer.FAILED: 1, Answer.UNDECIDED: 3}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "policy",
        metavar="POLICY",
        nargs="?",
        type=Path,
        default=library.POLICY,
        help="the policy file (default: the packaged playbook's)",
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="override one value of every scenario of the policy (repeatable)",
    )
    parser.add_argument("--crds", metavar="DIR", type=Path, help="check manifests against these CRDs instead of ours")
    arguments.add_controller_argument(parser)
    parser.add_argument(
        "--seed", type=arguments.whole(0, arguments.MOST_SEED), metavar="N", help="master seed (default: the policy's)"
    )
    studying.add_study_arguments(parser)
    parser.add_argument(
        "--plan", action="store_true", help="only say how each claim would be decided, and at what cost"
    )
    parser.add_argument(
        "--junit", metavar="FILE", type=Path, help="write JUnit XML: each claim a test, undecided ones failures"
    )
    parser.add_argument("--sarif", metavar="FILE", type=Path, help="write the claims that did not pass as SARIF")
    parser.add_argument(
        "--allow-undecided", action="store_true", help="exit 0 instead of 3 if claims are undecided; says so"
    )
    arguments.add_report_arguments(parser, FORMATS, OUT)


def run(args: argparse.Namespace) -> int:
    """Decide every claim, write what was found and say it."""
    policy = load(args.policy, _overrides(args), args.crds)
    if args.seed is not None:
        policy = replace(policy, seed=args.seed)
    arguments.name_world({world.loaded.scenario.title: world.loaded for world in policy.worlds}.values())
    if args.plan:
        gating.refuse_hopeless(policy)
        print(plan_text([(claim, gating.test_of(claim)) for claim in policy.claims], policy))
        return 0
    folder = arguments.usable_folder(args.out)
    for file in filter(None, (args.junit, args.sarif)):
        arguments.usable_file(file)
    with _under_way() as watch, studying.engine_of(args) as engine:
        gate = gating.decide(policy, engine, store=studying.store_of(args, folder), watch=watch)
    gate = replace(gate, command=studying.command_line())
    _write(gate, args, folder)
    _say(gate, args, folder)
    if gate.answer is Answer.UNDECIDED and args.allow_undecided:
        print(
            f"rolltwin: {words.times(gate.tally[gate.answer], 'claim')} undecided, allowed by --allow-undecided",
            file=sys.stderr,
        )
        return 0
    return CODES[gate.answer]


def _overrides(args: argparse.Namespace) -> list[str]:
    controller: Controller | None = args.controller
    return [
        *args.overrides,
        *arguments.controller_override(controller),
        *arguments.data_plane_override(args.data_plane),
    ]


def _write(gate: Gate, args: argparse.Namespace, folder: Path) -> None:
    reports.write_gate(gate, folder)
    if args.junit is not None:
        write_atomically(args.junit, reports.gate_junit(gate))
    if args.sarif is not None:
        write_atomically(args.sarif, render(reports.gate_findings(gate), rules.RULES, "sarif"))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8", errors="replace") as file:
            file.write(reports.render_gate(gate, "md") + "\n")


def _say(gate: Gate, args: argparse.Namespace, folder: Path) -> None:
    if args.format == "github":
        print(render(reports.gate_findings(gate), rules.RULES, "github"), end="")
        print(words.verdict(gate))
    else:
        print(reports.render_gate(gate, args.format))
    if args.format == "text":
        print(f"\nwritten to {folder}: report.md, gate.json, claims.svg, claims.png")


@contextmanager
def _under_way() -> Iterator[gating.Watch]:
    """How far each claim is, on standard error; in a log one line a decision. An interruption says how to go on."""
    console = Console(stderr=True)
    seen = 0

    def count(deciding: gating.Deciding) -> None:
        nonlocal seen
        seen = deciding.seen
        show(deciding)

    try:
        if console.is_terminal:
            with _bars(console) as show:
                yield count
        else:
            show = _Log()
            yield count
    except KeyboardInterrupt:
        done = f"{words.times(seen) if seen else 'no replication'} looked at"
        hint = f"{done}; finished ones are kept. Go on with: {studying.command_line()}"
        raise KeyboardInterrupt(hint) from None


class _Log:
    """A line for each claim when it is decided."""

    def __init__(self) -> None:
        self._told = set[str]()

    def __call__(self, deciding: gating.Deciding) -> None:
        for track in deciding.tracks:
            if track.answer.final and track.claim.name not in self._told:
                self._told.add(track.claim.name)
                print(
                    f"rolltwin: {track.answer.value} after {words.times(track.result().seen)}: {track.claim.name}",
                    file=sys.stderr,
                    flush=True,
                )


@contextmanager
def _bars(console: Console) -> Iterator[gating.Watch]:
    """A line a claim: its answer, its count, and how much of the evidence it takes there is for and against it."""
    columns = (
        TextColumn("{task.fields[answer]:<9}"),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[count]}"),
        BarColumn(16),
        TextColumn("{task.fields[evidence]}"),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=True) as bar:

        def show(deciding: gating.Deciding) -> None:
            for track in deciding.tracks:
                name = track.claim.name
                if name not in tasks:
                    tasks[name] = bar.add_task(_cut(name), total=1.0, answer="", count="", evidence="")
                pro, contra = _evidence(track)
                seen = track.result().seen if track.answer.final else len(track.values) + track.absent
                bar.update(
                    tasks[name],
                    completed=1.0 if track.answer.final else max(pro, contra),
                    answer=track.answer.value,
                    count=f"{len(track.breaks):,} of {seen:,} break it",
                    evidence="" if track.answer.final else f"for {100 * pro:.0f} %, against {100 * contra:.0f} %",
                )

        yield show


def _cut(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"


def _evidence(track: gating.Track) -> tuple[float, float]:
    """Shares of the evidence that a decision takes, for and against the claim."""
    if not isinstance(track.test, Sprt) or not isinstance(track.state, State):
        return 0.0, 0.0
    parts = [
        ratio.evidence(track.state.kept, track.state.broken) / ratio.decides
        for ratio in (track.test.speaks_for, track.test.speaks_against)
    ]
    pro, contra = (min(1.0, max(0.0, part)) for part in parts)
    return pro, contra
