"""``python -m tests.conformance [-v] [--controller RELEASE] FILE...``: exit 0 if every vector passes, 1 if one fails, 2 if a file is unreadable."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sim.model.controller import NEWEST, Controller
from tests.conformance.runner import UnreadableError, outcome, report, vector_for, vectors_of


def main(arguments: list[str]) -> int:
    """Print the outcome per file and in total; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance", description="Run files of conformance vectors."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every failing vector")
    parser.add_argument(
        "--controller",
        type=Controller.parse,
        default=NEWEST,
        metavar="RELEASE",
        help=f"decide as this release, and expect what it answers: {', '.join(Controller)}",
    )
    options = parser.parse_args(arguments)
    try:
        read = [vectors_of(path) for path in options.files]
    except UnreadableError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    total = failed = 0
    for name, vectors in read:
        outcomes = [outcome(asked) for vector in vectors if (asked := vector_for(vector, options.controller))]
        sys.stdout.write("\n".join(report(name, outcomes, verbose=options.verbose)) + "\n")
        total += len(outcomes)
        failed += sum(bool(o.problems) for o in outcomes)
    sys.stdout.write(f"total: {total - failed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
