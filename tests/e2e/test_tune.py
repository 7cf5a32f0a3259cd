"""``rolltwin tune``: from a policy and what is asked of it to a patch, in a world small enough to try dozens of settings."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scenarios import library
from sim.study.store import dump
from tests.e2e.conftest import SCENARIO, Command
from tests.e2e.test_diff import GATE, GATED
from tests.programs import interrupted

pytest.importorskip("optuna")
PATCH = shutil.which("patch")
ASKED = (
    "scenario.yaml", "--param", "canary.steps[1].pause=5s..1m", "--param", "gate.metrics[errors].interval=2s..10s",
    "--param", "gate.metrics[errors].count=1..5", "--objective", "time_to_detect@bad", "--objective",
    "deployment_duration@good", "--constraint", "miss_rate<50%", "--workers", "1", "--replications", "2",
)  # fmt: skip


@pytest.fixture
def shop(folder: Path) -> Path:
    """scenario.yaml and its gated policy."""
    (folder / "shop.yaml").write_text(GATED + GATE, encoding="utf-8")
    text = SCENARIO.replace("rate: 5", "rate: 30").replace("tail: 10s", "tail: 5s")
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    return folder


def tuned(rolltwin: Command, *arguments: str) -> dict[str, Any]:
    told = rolltwin("tune", *ASKED, *arguments, "--format", "json")
    assert told.code == 0, told.err
    found: dict[str, Any] = json.loads(told.out)
    return found


def test_a_better_policy_is_found_and_patched(rolltwin: Command, shop: Path) -> None:
    found = tuned(rolltwin, "--trials", "7", "--held-out", "3", "--out", "a")
    assert [one["origin"] for one in found["tried"]][:4] == [
        "as written",
        "pauses halved",
        "pauses doubled",
        "waits halved",
    ]
    knee, written = found["knee"], found["as_written"]
    assert written["settings"] == {
        "canary.steps[1].pause": "40s", "gate.metrics[errors].interval": "5s", "gate.metrics[errors].count": "4",
    }  # fmt: skip
    assert all(new["mean"] <= old["mean"] for new, old in zip(knee["objectives"], written["objectives"], strict=True))
    assert found["held_out"]["replications"] == {"good": 3, "bad": 3}
    assert found["held_out"]["claims"][0]["constraint"] == "miss_rate<50%"
    for one in found["front"]:
        assert one["replications"] == 8
    diff = (shop / "a" / "patch.diff").read_text(encoding="utf-8")
    assert diff == found["patch"] != ""
    if PATCH:
        subprocess.run([PATCH, "-p1"], input=diff, text=True, check=True, capture_output=True)
        listed = rolltwin("tune", "scenario.yaml", "--list-params").out
        assert f"pause={knee['settings']['canary.steps[1].pause']}" not in listed
        after = (shop / "shop.yaml").read_text(encoding="utf-8")
        assert f"pause: {{duration: {knee['settings']['canary.steps[1].pause']}}}" in after
    assert {"front.svg", "report.md", "tune.json"} <= {path.name for path in (shop / "a").iterdir()}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trials_whoever_runs_them_and_however_often_it_is_cut(
    rolltwin: Command,
    shop: Path,  # noqa: ARG001 - the working directory
) -> None:
    whole = tuned(rolltwin, "--trials", "9", "--held-out", "0", "--out", "a")
    tuned(rolltwin, "--trials", "3", "--held-out", "0", "--out", "b")
    parts = tuned(rolltwin, "--trials", "9", "--held-out", "0", "--out", "b", "--workers", "2")
    for found in (whole, parts):
        found.pop("command")
    assert parts == whole
    again = tuned(rolltwin, "--trials", "9", "--held-out", "0", "--out", "b")
    assert again["tried"] == whole["tried"]


@pytest.mark.slow
def test_settings_tried_beside_others_are_the_same_however_the_search_is_cut(
    rolltwin: Command,
    shop: Path,  # noqa: ARG001 - the working directory
) -> None:
    beside = ("--param", "gate.metrics[errors].failureLimit=0..3", "--held-out", "0")
    whole = tuned(rolltwin, *beside, "--trials", "3", "--out", "a")
    assert [one["beside"] for one in whole["tried"]][:6] == [None, 0, 0, 0, None, 4]
    assert len(whole["tried"]) == 12
    for trials in ("1", "2"):
        tuned(rolltwin, *beside, "--trials", trials, "--out", "b", "--workers", "2")
    # As if it had been killed amid a family: the last lines of the journal are gone.
    journal = Path("b", "trials.journal")
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    journal.write_text("".join(lines[:-2]), encoding="utf-8")
    parts = tuned(rolltwin, *beside, "--trials", "3", "--out", "b")
    for found in (whole, parts):
        found.pop("command")
    assert parts == whole


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one child there")
def test_an_interrupted_search_goes_on(rolltwin: Command, shop: Path) -> None:
    arguments = ("--trials", "4", "--held-out", "2")
    whole = tuned(rolltwin, *arguments, "--out", "whole")
    assert "go on with: rolltwin tune" in interrupted("tune", *ASKED, *arguments, "--out", "cut", cwd=shop)
    cut = tuned(rolltwin, *arguments, "--out", "cut")
    for found in (whole, cut):
        found.pop("command")
    assert cut == whole
    store = "replications.sqlite"
    assert list(dump(shop / "cut" / store)) == list(dump(shop / "whole" / store))


def test_no_policy_is_proposed_where_none_keeps_to_the_constraints(rolltwin: Command, shop: Path) -> None:
    (shop / "patch.diff").write_text("old", encoding="utf-8")
    told = rolltwin("tune", *ASKED, "--constraint", "deployment_duration@good<1s", "--trials", "3", "--out", ".")
    assert told.code == 0
    assert "No setting tried keeps to every constraint" in told.out
    assert "deployment_duration@good<1s is broken by 3 of 3." in told.out
    assert not (shop / "patch.diff").exists()


def test_settings_that_the_controller_refuses_are_told_in_its_words(rolltwin: Command, shop: Path) -> None:  # noqa: ARG001
    told = rolltwin(
        "tune", "scenario.yaml", "--param", "canary.steps[0].setWeight=50,500", "--trials", "3", "--replications", "2",
        "--workers", "1", "--held-out", "0", "--objective", "deployment_duration@good",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "1 refused" in told.out
    assert "SetWeight needs to be between 0 and 100" in told.out


def test_without_parameters_a_space_is_proposed_that_can_be_copied(rolltwin: Command, shop: Path) -> None:  # noqa: ARG001
    told = rolltwin("tune", "scenario.yaml", "--list-params")
    assert told.code == 0
    assert "--param 'canary.steps[1].pause=10s..1m15s:log'" in told.out.splitlines()
    params = [line.removeprefix("--param ").strip("'") for line in told.out.splitlines()]
    again = rolltwin("tune", "scenario.yaml", "--list-params", *[part for text in params for part in ("--param", text)])
    assert again.out == told.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--param", "canary.steps[7].pause=1m,2m"], "did you mean", id="no such step"),
        pytest.param(["--param", "canary.steps[1].pause=2m..1m"], "backwards", id="backwards"),
        pytest.param(["--param", "canary.steps[1].pause=1m..1m"], "empty", id="empty"),
        pytest.param(["--objective", "failed_request"], "did you mean failed_requests?", id="no such indicator"),
        pytest.param(["--objective", "failed_requests@ugly"], "releases here: good, bad", id="no such release"),
        pytest.param(
            ["--objective", "failed_requests", "--objective", "failed_requests:max"], "given twice", id="twice"
        ),
        pytest.param(["--constraint", "miss_rate"], "and a limit", id="no limit"),
        pytest.param(["--constraint", "miss_rate<often"], "no limit for an indicator in share", id="bad limit"),
        pytest.param(["scenario.yaml"], "one scenario is tuned at a time", id="two scenarios"),
    ],
)
def test_what_cannot_be_searched_is_refused(rolltwin: Command, shop: Path, arguments: list[str], words: str) -> None:
    told = rolltwin("tune", "scenario.yaml", *arguments)
    assert told.code == 2
    assert words in told.err
    assert not (shop / "rolltwin-out").exists()


def test_a_storage_that_is_none_is_refused(rolltwin: Command, shop: Path) -> None:
    (shop / "notes.txt").write_text("dear diary\n", encoding="utf-8")
    told = rolltwin("tune", *ASKED, "--storage", "notes.txt")
    assert told.code == 2
    assert "notes.txt: error RT800 is no storage of Optuna that can be used" in told.err
    told = rolltwin("tune", *ASKED, "--storage", "nosuchthing://x")
    assert told.code == 2


@pytest.mark.slow
def test_the_playbooks_repaired_canary_detects_in_two_minutes_and_deploys_in_fifteen(
    rolltwin: Command,
    folder: Path,  # noqa: ARG001 - the working directory
) -> None:
    """The command of docs/how-to.md, cut down to the policy as written and the shortest waits that it would try."""
    told = rolltwin(
        "tune", str(library.playbook("canary", "repaired")), "--set", "traffic.stages[0].rate=1000", "--set",
        "stable.concurrency=24", "--set", "warm_up=1m", "--set", "tail=1m",
        "--param", "canary.steps[1].pause=30s,2m", "--param", "canary.steps[4].pause=30s,5m",
        "--param", "canary.steps[7].pause=30s,10m", "--param", "canary.steps[10].pause=30s,15m",
        "--param", "canary.steps[13].pause=30s,5m", "--param", "analysis.success-rate.interval=10s,1m",
        "--param", "analysis.success-rate.failureLimit=2,3", "--param", "analysis.p99-latency.interval=10s,1m",
        "--param", "analysis.p50-latency.interval=10s,1m", "--param", "analysis.error-budget-remaining.interval=30s,5m",
        "--objective", "failed_requests@errors-5", "--objective", "deployment_duration@good",
        "--constraint", "time_to_detect@errors-5:p99<2m", "--constraint", "deployment_duration@good<15m",
        "--constraint", "false_abort_rate<1%",
        "--trials", "2", "--replications", "2", "--held-out", "4", "--workers", "1", "--format", "json",
    )  # fmt: skip
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert [(one["origin"], one["beside"]) for one in found["tried"]] == [
        ("as written", None),
        ("beside", 0),
        ("low ends", None),
        ("beside", 2),
    ]
    assert found["knee"]["index"] == 2
    claims = {claim["constraint"]: claim for claim in found["held_out"]["claims"]}
    assert all(claim["met_as_written"] is False for name, claim in claims.items() if name != "false_abort_rate<1%")
    assert all(claim["kept"] == claim["of"] == 4 for name, claim in claims.items() if name != "false_abort_rate<1%")
    assert claims["false_abort_rate<1%"]["estimate"]["mean"] == 0
    assert found["patch"].count("\n+") == 12
