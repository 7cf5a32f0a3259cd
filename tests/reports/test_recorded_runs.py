"""Cluster runs on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports.verify import recorded
from reports.verify.recorded import Meta
from scenarios.document import load
from scenarios.findings import BadInput
from sim.model.records import HeaderRecord, RunResult, Verdict
from tests.e2e.conftest import ROLLOUT, SCENARIO
from tests.reports.builders import journal, run_result, traffic

RESULT = run_result(journal(traffic(60.0, "stable", 100), verdict=Verdict.PROMOTED))
"""Release ``steady``, seed 7."""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(ROLLOUT, encoding="utf-8")
    file = tmp_path / "scenario.yaml"
    file.write_text(SCENARIO.replace("name: good", "name: steady") + "release: steady\n", encoding="utf-8")
    return file


def meta(scenario: Path, **more: object) -> Meta:
    base = Meta(
        scenario=("../../scenario.yaml",),
        release="steady",
        seed=7,
        sources=recorded.digest_of(load(scenario)),
        controller="twin's rules",
        near_threshold=True,
        recorded="2026-11-30",
        versions=(("Kubernetes", "v1.20.2"),),
        machine=(("memory", "24 GiB"),),
        adaptations=("Rollout/shop: 'the' image: \"replaced\"",),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # each of its own kind


def test_what_was_written_is_read(tmp_path: Path, scenario: Path) -> None:
    folder = tmp_path / "runs" / "one"
    recorded.write_one(folder, meta(scenario), RESULT)
    (one,) = recorded.read_all([tmp_path / "runs"])
    assert (one.folder, one.meta, one.result) == (folder, meta(scenario), RESULT)
    assert one.scenario().loaded.scenario.release.name == "steady"


def test_time_is_compressed_as_it_was(tmp_path: Path, scenario: Path) -> None:
    folder = tmp_path / "runs" / "one"
    recorded.write_one(folder, meta(scenario, compression=2.0, overrides=("warm_up=20s",)), RESULT)
    made = recorded.read_one(folder).scenario()
    assert made.factor == 2.0
    assert made.loaded.scenario.warm_up_s == 10.0


def test_a_large_journal_is_kept_compressed(tmp_path: Path, scenario: Path) -> None:
    rows = tuple(traffic(60.0 * (index + 1), "stable", 100) for index in range(1000))
    result = run_result(journal(*rows, ended_s=1.0, last_s=60_000.0))
    recorded.write_one(tmp_path / "runs" / "one", meta(scenario), result)
    assert (tmp_path / "runs" / "one" / "journal.jsonl.gz").stat().st_size < 20_000
    assert recorded.read_one(tmp_path / "runs" / "one").result == result


def test_a_scenario_changed_since_is_refused(tmp_path: Path, scenario: Path) -> None:
    recorded.write_one(tmp_path / "runs" / "one", meta(scenario), RESULT)
    (tmp_path / "shop.yaml").write_text(ROLLOUT.replace("5s", "6s"), encoding="utf-8")
    with pytest.raises(BadInput, match="has been changed since this run was recorded"):
        recorded.read_one(tmp_path / "runs" / "one").scenario()


def of_seed(seed: int) -> RunResult:
    header = RESULT.journal[0]
    assert isinstance(header, HeaderRecord)
    return replace(RESULT, seed=seed, journal=(replace(header, seed=seed), *RESULT.journal[1:]))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(lambda folder: (folder / "journal.jsonl").unlink(), "no journal", id="no journal"),
        pytest.param(
            lambda folder: (folder / "journal.jsonl").write_text("{}"), "no journal that can be read", id="torn"
        ),
        pytest.param(
            lambda folder: (folder / "meta.yaml").write_text("seed: x"), "must be a whole number", id="no meta"
        ),
        pytest.param(lambda folder: (folder / "meta.yaml").unlink(), "no recorded run", id="nothing"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, scenario: Path, spoil: object, message: str) -> None:
    folder = tmp_path / "runs" / "one"
    recorded.write_one(folder, meta(scenario), RESULT)
    spoil(folder)  # type: ignore[operator]  # a function
    with pytest.raises(BadInput, match=message):
        recorded.read_all([tmp_path / "runs"])


def test_parts_of_two_runs_are_refused(tmp_path: Path, scenario: Path) -> None:
    recorded.write_one(tmp_path / "runs" / "one", meta(scenario), of_seed(8))
    with pytest.raises(BadInput, match="of another seed or release"):
        recorded.read_one(tmp_path / "runs" / "one")
