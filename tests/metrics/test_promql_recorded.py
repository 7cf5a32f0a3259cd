"""PromQL against what real servers answered to the same queries on the same samples (``python -m tests.oracle.record``)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.metrics import promql
from tests.oracle.data import series, store_of
from tests.oracle.record import FOLDER, ORDERED
from tests.oracle.test_server import agree, keyed


def row(value: object) -> float | list[tuple[dict[str, str], float]] | str:
    match value:
        case str():
            return float(value)
        case list():
            return [(labels, float(number)) for labels, number in value]
    return "refused"


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in sorted(FOLDER.glob("*.json"))])
def test_answers_are_the_servers(path: Path) -> None:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    store, dialect = store_of(series(recorded["seed"])), promql.dialect_of(recorded["version"])
    for text, at_s, answer in recorded["rows"]:
        theirs = row(answer)
        ours: float | list[tuple[dict[str, str], float]] | str
        try:
            value = promql.query(store, text, at_s, dialect)
            ours = value if isinstance(value, float) else [(dict(labels), number) for labels, number in value]
        except promql.PromqlError:
            ours = "refused"
        if text in ORDERED:
            assert ours == theirs
        assert agree(*(keyed(one) if isinstance(one, list) else one for one in (ours, theirs))), text


def test_every_line_of_releases_is_recorded() -> None:
    assert {promql.dialect_of(path.stem) for path in FOLDER.glob("*.json")} == {"2", "2.42", "3.5"}
