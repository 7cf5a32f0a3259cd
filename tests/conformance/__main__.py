"""``python -m tests.conformance [-v] FILE...``: exit 0 if every vector passes, 1 if one fails, 2 if a file is unreadable."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.conformance.runner import UnreadableError, outcome, report, vectors_of


def main(arguments: list[str]) -> int:
    """Print the outcome per file and in total; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance", description="Run files of conformance vectors."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every failing vector")
    options = parser.parse_args(arguments)
    try:
        read = [vectors_of(path) for path in options.files]
    except UnreadableError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    total = failed = 0
    for name, vectors in read:
        outcomes = [outcome(vector) for vector in vectors]
        sys.stdout.write("\n".join(report(name, outcomes, verbose=options.verbose)) + "\n")
        total += len(outcomes)
        failed += sum(bool(o.problems) for o in outcomes)
    sys.stdout.write(f"total: {total - failed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
