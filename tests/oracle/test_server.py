"""Queries against a real server on the same samples: same series, same values, refusals where it refuses."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from sim.metrics import SeriesStore, promql
from tests.oracle.data import BEGIN_MS, END_MS, series, slices, store_of
from tests.oracle.queries import queries
from tests.oracle.server import Refused, Server, running

BINARY: Final = os.environ.get("ROLLTWIN_PROMETHEUS", "")
SEED: Final = int(os.environ.get("ROLLTWIN_ORACLE_SEED", "11"))
INSTANTS: Final = int(os.environ.get("ROLLTWIN_ORACLE_QUERIES", "1500"))
pytestmark = pytest.mark.skipif(
    not BINARY, reason="ROLLTWIN_PROMETHEUS names no server; `nox -s oracle` fetches one from the distribution"
)

CRASHED: Final = "runtime error"

Answer = list[tuple[tuple[tuple[str, str], ...], float]] | float | str


@dataclass(frozen=True, slots=True)
class Pair:
    """A server and our store with the same samples."""

    server: Server
    store: SeriesStore


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    written = series(SEED)
    with running(Path(BINARY), tmp_path_factory.mktemp("prometheus")) as server:
        for part in slices(written):
            server.write(part)
        yield Pair(server, store_of(written))


def ours(pair: Pair, text: str, at_s: float) -> Answer:
    try:
        value = promql.query(pair.store, text, at_s, pair.server.dialect)
    except promql.PromqlError as error:
        return f"refused: {error}"
    return value if isinstance(value, float) else keyed([(dict(labels), number) for labels, number in value])


def theirs(pair: Pair, text: str, at_s: float) -> Answer | None:
    """None where the server itself broke: 2.53 does on some empty inner queries."""
    try:
        value = pair.server.query(text, at_s)
    except Refused as error:
        return None if CRASHED in str(error) else f"refused: {error}"
    return value if isinstance(value, float) else keyed(value)


def keyed(vector: list[tuple[dict[str, str], float]]) -> list[tuple[tuple[tuple[str, str], ...], float]]:
    return sorted((tuple(sorted(labels.items())), value) for labels, value in vector)


def agree(one: Answer, other: Answer) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str)
    if isinstance(one, float) or isinstance(other, float):
        return isinstance(one, float) and isinstance(other, float) and close(one, other)
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(a[0] == b[0] and close(a[1], b[1]) for a, b in pairs)


def close(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-11)


def test_instant_queries(pair: Pair) -> None:
    dice = random.Random(SEED)  # noqa: S311  # test data
    differing = []
    for text in queries(SEED, INSTANTS):
        at_s = dice.randrange(BEGIN_MS - 60_000, END_MS + 400_000) / 1000
        one, other = ours(pair, text, at_s), theirs(pair, text, at_s)
        if other is not None and not agree(one, other):
            differing.append(f"{text}\n  at {at_s}\n  ours   {str(one)[:600]}\n  theirs {str(other)[:600]}")
    assert not differing, f"{len(differing)} of {INSTANTS} differ\n" + "\n".join(differing[:20])


def test_range_queries(pair: Pair) -> None:
    dice = random.Random(SEED + 1)  # noqa: S311  # test data
    differing = []
    # Which of equal samples topk takes is only determined at an instant.
    for text in (one for one in queries(SEED + 1, INSTANTS // 10) if "topk" not in one and "bottomk" not in one):
        start_s = dice.randrange(BEGIN_MS, END_MS) / 1000
        step_s = dice.choice([15.0, 40.0, 61.5])
        one, other = (matrix(pair, text, (start_s, start_s + 300.0, step_s), real=real) for real in (False, True))
        if not agree(one, other):
            differing.append(
                f"{text}\n  from {start_s} by {step_s}\n  ours   {str(one)[:600]}\n  theirs {str(other)[:600]}"
            )
    assert not differing, f"{len(differing)} differ\n" + "\n".join(differing[:20])


def matrix(pair: Pair, text: str, span: tuple[float, float, float], *, real: bool) -> Answer:
    """A range query's points, each as a sample with its time as a label."""
    try:
        if real:
            found = pair.server.query_range(text, *span)
        else:
            found = promql.query_range(pair.store, text, *span, dialect=pair.server.dialect)
    except (Refused, promql.PromqlError) as error:
        return f"refused: {error}"
    points = [({**labels, "t": f"{t_s:.3f}"}, value) for labels, row in found for t_s, value in row]
    return keyed([(dict(labels), value) for labels, value in points])


@pytest.mark.parametrize("text", ["g", "owner", "c{code='200'}", "topk(3, g)", "sort_desc(g2)", "sum by (pod) (c)"])
def test_the_order_of_an_answer(pair: Pair, text: str) -> None:
    at_s = (BEGIN_MS + END_MS) / 2000
    value, real = promql.query(pair.store, text, at_s, pair.server.dialect), pair.server.query(text, at_s)
    assert isinstance(value, list)
    assert isinstance(real, list)
    assert [labels for labels, _ in value] == [labels for labels, _ in real]
