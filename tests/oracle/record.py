"""``python -m tests.oracle.record PROMETHEUS``: write down what a real server answers, for machines that have none.

The answers are in ``recorded/VERSION.json``; ``tests/metrics/test_promql_recorded.py`` compares them.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.oracle.data import BEGIN_MS, END_MS, series, slices
from tests.oracle.queries import queries
from tests.oracle.server import Refused, Server, running

FOLDER: Final = Path(__file__).parent / "recorded"
SEED: Final = 42
COUNT: Final = 250
MOST_ELEMENTS: Final = 9
ORDERED: Final = ("g", "owner", 'c{code="200"}', "topk(3, max_over_time(g[5m]))", "sort(g2)", "count by (zone) (c)")
"""Queries whose answers have an order to rely on; it is compared too."""


def main(binary: Path) -> None:
    """Record one server's answers to queries that have short ones."""
    with TemporaryDirectory() as folder, running(binary, Path(folder)) as server:
        for part in slices(series(SEED)):
            server.write(part)
        dice = random.Random(SEED)  # noqa: S311  # test data
        texts = [*ORDERED, *queries(SEED, COUNT)]
        instants = [dice.randrange(BEGIN_MS, END_MS) / 1000 for _ in texts]
        rows = [recorded(server, text, at_s) for text, at_s in zip(texts, instants, strict=True)]
        kept = [row for row in rows if not isinstance(row[2], list) or len(row[2]) <= MOST_ELEMENTS]
        body = {"seed": SEED, "version": server.version}
        lines = ",\n".join(json.dumps(row) for row in kept)
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{server.version}.json"
        path.write_text(f'{json.dumps(body)[:-1]}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


def recorded(server: Server, text: str, at_s: float) -> tuple[str, float, object]:
    """(query, seconds, answer): a number or labels with numbers as texts, None for a refusal."""
    try:
        value = server.query(text, at_s)
    except Refused:
        return text, at_s, None
    if isinstance(value, float):
        return text, at_s, repr(value)
    return text, at_s, [[labels, repr(number)] for labels, number in value]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
