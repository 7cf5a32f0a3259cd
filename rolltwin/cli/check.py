"""Say what is wrong with manifests and scenarios, before anything runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from os.path import normpath
from pathlib import Path

from reports.files import write_atomically
from reports.findings import FORMATS, render
from rolltwin.cli.arguments import add_controller_argument, controller_override
from scenarios import manifests, rules
from scenarios.document.load import is_policy, is_scenario, load
from scenarios.document.source import read
from scenarios.findings import BadInput, Finding, Severity, has_errors, ordered
from scenarios.policy.load import load as load_policy
from sim.model.controller import NEWEST, Controller

CLEAN, FOUND, UNREADABLE = 0, 1, 2
"""Exit statuses."""

_UNREADABLE_CODE = "RT005"
"""A file that cannot be read at all; one broken document among others is a finding like any other."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="manifests, directories, scenario files or policies"
    )
    parser.add_argument("--crds", type=Path, metavar="DIR", help="CRDs of your cluster (kubectl get crd -o yaml)")
    add_controller_argument(parser)
    parser.add_argument("--format", choices=FORMATS, default="text", help="form of the output (default: text)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of to standard output")
    parser.add_argument("--strict", action="store_true", help="exit 1 for warnings too")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="CODE", help="leave out findings of this rule (repeatable)"
    )


def run(args: argparse.Namespace) -> int:
    """0 clean, 1 findings of severity error (with --strict: or warning), 2 input that cannot be read at all."""
    ignored = {code.strip().upper() for item in args.ignore for code in item.split(",") if code.strip()}
    unknown = sorted(ignored - {rule.code for rule in rules.RULES})
    if unknown:
        return _refuse(f"--ignore: no rule has the code {', '.join(unknown)}; docs/rules.md lists them all")
    absent = [str(path) for path in (*args.paths, *([args.crds] if args.crds else [])) if not path.exists()]
    if absent:
        return _refuse(f"no such file or directory: {', '.join(absent)}")
    try:
        found = findings(args.paths, args.crds, args.controller)
    except BadInput as error:
        found, status = error.findings, UNREADABLE
    else:
        found = tuple(finding for finding in found if finding.code not in ignored)
        status = _status(found, strict=args.strict)
    return _write(render(found, rules.RULES, args.format), args.out) or status


def findings(
    paths: Sequence[Path], crds: Path | None = None, controller: Controller | None = None
) -> tuple[Finding, ...]:
    """Everything found in the bare manifests among the paths, taken together, in each scenario and policy; BadInput if unreadable."""
    policies = [path for path in paths if is_policy(path)]
    scenarios = [path for path in paths if is_scenario(path) and path not in policies]
    bare = [path for path in paths if not is_scenario(path)]
    found: list[Finding] = []
    broken: list[Finding] = []
    for path in policies:
        try:
            load_policy(path, controller_override(controller), crds)
        except BadInput as error:
            broken.extend(error.findings)
    for path in scenarios:
        try:
            loaded = load(path, controller_override(controller), crds)
            found.extend(_placed(rules.check(loaded.documents, loaded.scenario, str(path)), path))
        except BadInput as error:
            broken.extend(error.findings)
    if bare:
        documents = manifests.load(bare, crds)
        found.extend(rules.check(documents, controller=controller or NEWEST))
        nothing = not documents.objects and has_errors(documents.findings)
        if nothing or any(finding.code == _UNREADABLE_CODE for finding in documents.findings):
            broken.extend(documents.findings)
    if broken:
        raise BadInput([*broken, *found])
    return ordered(_relative(found))


def _placed(found: Iterable[Finding], scenario: Path) -> Iterator[Finding]:
    """Findings about the scenario file itself with the line of the key (perhaps in a file it extends)."""
    source = read(scenario)
    for finding in found:
        if finding.file == str(scenario) and not finding.line:
            place = source.position(finding.path)
            yield replace(finding, file=place.file, line=place.line, column=place.column)
        else:
            yield finding


def _relative(found: Iterable[Finding]) -> Iterable[Finding]:
    """Paths without detours, and below the working directory without it: what GitHub and SARIF readers expect."""
    here = Path.cwd()
    for finding in found:
        path = Path(normpath(finding.file))
        inside = path.is_absolute() and path.is_relative_to(here)
        shown = path.relative_to(here) if inside else path
        yield replace(finding, file=str(shown)) if finding.file else finding


def _status(found: Sequence[Finding], *, strict: bool) -> int:
    if has_errors(found) or (strict and any(finding.severity is Severity.WARNING for finding in found)):
        return FOUND
    return CLEAN


def _write(output: str, file: Path | None) -> int:
    if file is None:
        sys.stdout.write(output)
        return CLEAN
    try:
        if file.exists() and not file.is_file():
            # A pipe or /dev/stdout is written to; replacing it by a file would surprise.
            file.write_text(output, encoding="utf-8")
        else:
            write_atomically(file, output)
    except OSError as error:
        return _refuse(f"cannot write {file}: {error.strerror}")
    return CLEAN


def _refuse(message: str) -> int:
    print(f"rolltwin check: {message}", file=sys.stderr)
    return UNREADABLE
