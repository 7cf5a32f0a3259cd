"""What one path tells of several settings is what a run of each setting's own comes to, and takes fewer runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st

from reports.outcome import outcome_of
from rolltwin.tuning.sharing import MOST, Bench, _Shared, beside, share
from rolltwin.tuning.trying import replications
from scenarios.document import load
from scenarios.settings import Editor, read_parameters
from sim.engine import run
from sim.model.hashing import canonical_json, digest
from sim.model.scenario import Scenario
from sim.study import Cell, Processes, Serial, strata
from sim.study.store import dump
from tests.e2e.conftest import SCENARIO
from tests.e2e.test_diff import GATE, GATED
from tests.paths import worlds


def told_otherwise(variants: list[Scenario], seed: int) -> int:
    """How many of the variants the paths tell of; fails where that is not what their own runs say."""
    job = _Shared(tuple(Cell("", "", one) for one in variants), seed, outcome_of)
    texts = json.loads(job.do((0, 0, 0)))
    for variant, text in zip(variants, texts, strict=True):
        if text is not None:
            whole = replace(variant, release=replace(variant.release, share=1.0))
            assert text == canonical_json(outcome_of(run(whole, job.seed_of((0, 0, 0)), digest(whole))))
    return sum(text is not None for text in texts)


@given(variants=worlds.groups(), seed=st.integers(0, 5))
@settings(max_examples=6, phases=(Phase.generate,))
def test_paths_say_what_each_settings_own_run_says(variants: worlds.Variants, seed: int) -> None:
    event(f"told of {told_otherwise(variants, seed)}")


@pytest.mark.slow
@given(variants=worlds.groups(size=6), seed=st.integers(0, 50))
@settings(max_examples=16, phases=(Phase.generate,))
def test_paths_say_what_each_settings_own_run_says_of_many(variants: worlds.Variants, seed: int) -> None:
    told_otherwise(variants, seed)


PARAMETERS = (
    "canary.steps[1].pause=5s..1m",
    "gate.metrics[errors].failureLimit=0..3",
    "gate.metrics[errors].successCondition[1]=0.02,0.05",
)


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    (tmp_path / "shop.yaml").write_text(GATED + GATE, encoding="utf-8")
    file = tmp_path / "scenario.yaml"
    file.write_text(SCENARIO.replace("rate: 5", "rate: 30"), encoding="utf-8")
    return Editor(load(file), read_parameters(PARAMETERS))


def settings_of(editor: Editor, *texts: str) -> dict[object, str]:
    return {item.parameter: text for item, text in zip(editor.bound, texts, strict=True)}


def test_what_is_tried_beside_differs_in_limits_and_thresholds_alone(editor: Editor) -> None:
    pause, limit, condition = (item.parameter for item in editor.bound)
    values = {pause: "20s", limit: "1", condition: "0.02"}
    for turn in range(9):
        others = beside(editor.bound, values, turn)
        assert len(others) == len({tuple(one.items()) for one in others}) == MOST
        assert values not in others
        assert {one[pause] for one in others} == {"20s"}
    assert len({tuple(one.items()) for turn in range(9) for one in beside(editor.bound, values, turn)}) == 7
    assert beside(editor.bound[:1], {pause: "20s"}, 3) == ()
    assert beside(editor.bound[2:], {condition: "0.02"}, 5) == ({condition: "0.05"},)


def variants(editor: Editor) -> list[Scenario]:
    pause, limit, condition = (item.parameter for item in editor.bound)
    return [
        editor.with_settings({pause: "20s", limit: str(tolerated), condition: "0.02"}).scenario
        for tolerated in range(4)
    ]


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_same_is_kept_whoever_asks_for_it(editor: Editor, tmp_path: Path, workers: int) -> None:
    first, *others = variants(editor)
    alone, together = tmp_path / "alone.sqlite", tmp_path / "together.sqlite"
    for one in (first, *others):
        replications(one, (2, 4), lambda _kinds, _done: None, Bench(1, Serial(), alone))
    with Serial() if workers == 1 else Processes(workers) as engine:
        for place, one in enumerate((first, *others)):
            rest = [first, *others][place + 1 :]
            replications(one, (2, 4), lambda _kinds, _done: None, Bench(1, engine, together), rest)
    assert list(dump(together)) == list(dump(alone))


def test_a_good_release_is_simulated_once_for_all(editor: Editor, tmp_path: Path) -> None:
    found = variants(editor)
    place = tmp_path / "store.sqlite"
    share(found, 0, 3, Bench(1, Serial(), place))
    kept = [row for row in dump(place) if row[0] == "replications"]
    good = [kind.name for kind in strata(found[0]) if kind.good]
    assert good == ["good"]
    assert len(kept) == 3 * len(found)
