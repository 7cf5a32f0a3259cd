"""The twin against runs of real clusters, recorded with ``rolltwin verify --record`` (meta.yaml says how each was made).

What has to agree was fixed before the runs were made (reports/verify/thresholds.yaml). Nothing here needs a cluster. The
report on all of them together, with coverage and latency distances: ``rolltwin verify --recorded tests/recorded/runs``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.scorecard import About
from reports.verify import recorded, thresholds
from reports.verify.card import Answer, Verification
from reports.verify.comparing import verify
from reports.verify.text import verification_text
from rolltwin.cli.worlds import read_recorded, with_twin
from scenarios import rules
from scenarios.document import load
from scenarios.findings import has_errors
from sim.study import Serial

HERE = Path(__file__).parent
SCENARIOS = sorted(path for path in (HERE / "scenarios").glob("*.yaml") if path.name != "base.yaml")
RUNS = sorted(meta.parent for meta in (HERE / "runs").rglob(recorded.META))
ASKED = thresholds.load(thresholds.DEFAULT)
SEED = 1
"""Of the twin's replications; the cluster's runs have seeds of their own."""
NEAR_REPLICATIONS = 60
"""Near a threshold: a verdict that 5 % of the replications have is missing among 20 in one case of three, among 60 in 20."""
MOST_BYTES = 200_000


def compared(folder: Path, scratch: Path) -> Verification:
    """One recorded run beside as few replications of the twin as anything may be concluded from."""
    subject = read_recorded([folder], [])[0].on(None)
    replications = NEAR_REPLICATIONS if subject.near else ASKED.replications
    pairings = with_twin([subject], ASKED, replications, SEED, Serial(), scratch / "store", lambda _done, _total: None)
    return verify(pairings, ASKED, replications, SEED, About())


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_the_twin_agrees_with_a_recorded_run(folder: Path, tmp_path: Path) -> None:
    found = compared(folder, tmp_path)
    assert found.answer is Answer.PASS, verification_text(found)


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_a_recorded_run_says_how_it_was_made(folder: Path) -> None:
    one = recorded.read_one(folder)
    loaded = one.scenario().loaded  # refused if the scenario was changed since
    assert one.result.journal[0].backend == "cluster"  # type: ignore[union-attr]  # a header
    assert one.meta.controller
    assert one.meta.recorded
    assert dict(one.meta.versions)
    assert dict(one.meta.machine)
    assert one.meta.near_threshold == (loaded.scenario.name in ASKED.near.scenarios)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MOST_BYTES


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_scenario_passes_check_under_the_name_of_its_file(file: Path) -> None:
    loaded = load(file)
    assert loaded.scenario.name == file.stem
    assert not has_errors(rules.check(loaded.documents, loaded.scenario, str(file)))


def test_every_scenario_named_near_a_threshold_is_there() -> None:
    assert set(ASKED.near.scenarios) <= {file.stem for file in SCENARIOS}


def test_among_the_recorded_scenarios_many_are_near_a_threshold() -> None:
    if not RUNS:
        pytest.skip("nothing was recorded yet")
    known = {recorded.read_one(folder).files[0].stem for folder in RUNS}
    assert len(known) >= 12
    assert len(known & set(ASKED.near.scenarios)) >= len(known) // 3
