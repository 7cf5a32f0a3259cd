"""``python -m bench``: run the benchmarks and print what was measured."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from bench.cases import CASES
from bench.cases.options import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured and the models agreed, 1 when they did not."""
    usual = Options()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the twin against SimPy models.")
    parser.add_argument("case", nargs="*", metavar="CASE", help=f"which ones: {', '.join(CASES)} (default: all)")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--minutes", type=positive(float), default=usual.minutes, help="length of the rollout")
    parser.add_argument("--rps", type=positive(float), default=usual.rps, help="mean requests a second")
    parser.add_argument("--repeat", type=positive(int), default=usual.repeat, help="seeds to measure")
    parser.add_argument("--seed", type=int, default=usual.seed, help="the first of them")
    chosen = parser.parse_args(arguments)
    unknown = [case for case in chosen.case if case not in CASES]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)} (there are: {', '.join(CASES)})")
    options = Options(chosen.minutes, chosen.rps, chosen.repeat, chosen.seed)
    reports = {name: CASES[name].measure(options) for name in chosen.case or CASES}
    if chosen.format == "json":
        print(json.dumps(together(reports), indent=2))
    else:
        print("\n\n".join(f"{name}\n{CASES[name].table(report)}" for name, report in reports.items()))
    return 0 if all(report.get("measured", {}).get("same_answers", True) for report in reports.values()) else 1


def together(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One document: what each case is for at the top, how it was measured under the case's name."""
    found = {key: value for report in reports.values() for key, value in report.items() if key != "measured"}
    return {**found, "measured": {name: report["measured"] for name, report in reports.items() if "measured" in report}}


class positive:  # noqa: N801 - reads as a function where it is used
    """A number above zero, for argparse."""

    def __init__(self, kind: type[int | float]) -> None:
        self._kind = kind
        self.__name__ = f"positive {kind.__name__}"

    def __call__(self, text: str) -> float:
        """The number a text stands for."""
        value = self._kind(text)
        if not value > 0:
            raise ValueError
        return value


if __name__ == "__main__":
    sys.exit(main())
