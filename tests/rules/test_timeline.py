from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios import manifests
from scenarios.rules.context import Context
from scenarios.rules.timeline import Timeline, timelines
from tests.rules.specimens import ABSENT, Changes, written

CANARY = ("Rollout", "spec", "strategy", "canary")
METRIC = ("AnalysisTemplate", "spec", "metrics", 0)
LIBRARY = Path(__file__).parents[2] / "scenarios" / "library" / "triptrip"
INLINE = {"analysis": {"templates": [{"templateName": "errors"}], "args": [{"name": "role", "value": "canary"}]}}


def of(*paths: Path) -> Timeline:
    (line,) = timelines(Context(manifests.load(paths)))
    return line


def changed(tmp_path: Path, changes: Changes) -> Timeline:
    return of(written(tmp_path, changes))


def test_playbook_takes_55_minutes_and_speaks_after_five() -> None:
    line = of(LIBRARY / "repaired")

    assert (line.length_s, line.pauses_s, line.earliest_abort_s) == (55 * 60, 37 * 60, 5 * 60)


@pytest.mark.parametrize(
    ("changes", "earliest_s"),
    [
        pytest.param({}, 40, id="background, two tolerated"),
        pytest.param({(*METRIC, "failureLimit"): 0}, 0, id="first failure counts"),
        pytest.param({(*METRIC, "initialDelay"): "1m"}, 100, id="delay"),
        pytest.param({(*METRIC, "failureLimit"): "3"}, 60, id="limit as text"),
        pytest.param({(*METRIC, "count"): 2}, None, id="limit out of reach"),
        pytest.param({(*CANARY, "analysis", "startingStep"): 2}, 340, id="starts at the third step"),
        pytest.param({(*CANARY, "analysis"): ABSENT}, None, id="no gate"),
        pytest.param({(*CANARY, "analysis"): ABSENT, (*CANARY, "steps", 2): INLINE}, 340, id="inline after the pause"),
    ],
)
def test_earliest_abort(tmp_path: Path, changes: dict[Any, Any], earliest_s: float | None) -> None:
    assert changed(tmp_path, changes).earliest_abort_s == earliest_s


@pytest.mark.parametrize(
    ("pause", "length_s"),
    [
        pytest.param({"duration": "1h30m"}, 5520, id="Go duration"),
        pytest.param({"duration": 90}, 210, id="seconds"),
        pytest.param({"duration": "90"}, 210, id="seconds as text"),
        pytest.param({}, 120, id="a person's time is not counted"),
        pytest.param({"duration": "soon"}, 120, id="unreadable"),
    ],
)
def test_pauses(tmp_path: Path, pause: dict[str, Any], length_s: float) -> None:
    assert changed(tmp_path, {(*CANARY, "steps", 1, "pause"): pause}).length_s == length_s


def test_background_gate_is_weighed_where_it_sees_least(tmp_path: Path) -> None:
    line = changed(tmp_path, {})
    late = changed(tmp_path, {(*METRIC, "initialDelay"): "6m"})

    assert [gate.weight for gate in line.gates] == [10]
    assert [gate.weight for gate in late.gates] == [100]
