"""``rolltwin verify``: both worlds in one report; here a second twin plays the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.choices import Choices, Conditions, Decides
from harness.missing import MissingError
from harness.waiting import WaitError
from reports.verify import documents
from reports.verify.recorded import read_one
from rolltwin.cli.verify import Maker
from scenarios.document import Loaded
from sim.model.controller import Controller
from sim.model.records import RunResult
from sim.study import run_once
from tests.e2e.conftest import Command

QUICK = ("--replications", "20", "--workers", "1")
CONDITIONS = Conditions("the twin's rules", (("Kubernetes", "v1.20.2"),), (("cores", "2"),), ("Nothing was changed.",))


class Pretended:
    """A cluster that is a twin, and may fail as clusters do."""

    name = "cluster"

    def __init__(self, *troubles: BaseException | None) -> None:
        self.troubles = list(troubles)
        self.choices: list[Choices] = []

    @contextmanager
    def on_cluster(self, choices: Choices) -> Iterator[Pretended]:
        self.choices.append(choices)
        yield self

    def run(self, loaded: Loaded, seed: int) -> RunResult:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble
        return run_once(loaded.scenario, seed)

    def conditions(self) -> Conditions:
        return CONDITIONS


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    pretended = Pretended()
    monkeypatch.setattr("harness.backend.on_cluster", pretended.on_cluster)
    return pretended


@pytest.fixture(autouse=True)
def undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take longer than everything else here; one test asks for them."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(documents, "write_verification", lambda _found, _folder: None)


@pytest.fixture
def drawn() -> None:
    """Draw the figures."""


@pytest.fixture(autouse=True)
def said(folder: Path) -> None:
    """Who says something of his cluster gets no other cluster's delays."""
    with (folder / "scenario.yaml").open("a", encoding="utf-8") as file:
        file.write("cluster: {nodes: 3}\n")


@pytest.mark.usefixtures("drawn")
def test_both_worlds_are_run_and_compared(rolltwin: Command, cluster: Pretended, folder: Path) -> None:
    told = rolltwin("verify", "scenario.yaml", "--runs", "2", "--controller", "twin", *QUICK)
    assert told.code == 0, told.out + told.err
    assert "1 scenario, 2 cluster runs; 20 replications of the twin each" in told.out
    assert told.err.count("is under way") == 2
    assert cluster.choices == [Choices(Path("rolltwin-out/verify/logs"), Decides.TWIN)]
    out = folder / "rolltwin-out/verify"
    assert json.loads((out / "verify.json").read_text())["answer"] == "pass"
    assert "Nothing was changed." in (out / "report.html").read_text()
    assert (out / "figures/overview.svg").exists()


def test_kept_runs_need_no_cluster(rolltwin: Command, cluster: Pretended, folder: Path) -> None:
    first = rolltwin("verify", "scenario.yaml", "--record", "kept", "--compress", "2", *QUICK)
    assert first.code == 0
    (kept,) = (folder / "kept").iterdir()
    meta = read_one(kept).meta
    assert (meta.scenario, meta.release, meta.compression) == (("../../scenario.yaml",), "good", 2.0)
    assert (meta.controller, meta.adaptations) == (CONDITIONS.controller, CONDITIONS.adaptations)
    cluster.troubles.append(AssertionError("no cluster is needed"))
    again = rolltwin("verify", "--recorded", "kept", *QUICK)
    assert again.code == 0
    assert first.out.split("\n\n")[2] == again.out.split("\n\n")[2]
    assert "Time runs 2 times as fast" in again.out


@pytest.mark.usefixtures("cluster")
def test_kept_runs_of_one_scenario(rolltwin: Command, folder: Path) -> None:
    (folder / "other.yaml").write_text("schema: rolltwin/v1\nextends: scenario.yaml\nname: other\n", encoding="utf-8")
    rolltwin("verify", "scenario.yaml", "other.yaml", "--record", "kept", *QUICK)
    assert "1 scenario, 1 cluster run;" in rolltwin("verify", "other.yaml", "--recorded", "kept", *QUICK).out
    strange = rolltwin("verify", "shop.yaml", "--recorded", "kept", *QUICK)
    assert strange.code == 2
    assert "no run of these scenarios was recorded there" in strange.err


@pytest.mark.usefixtures("cluster")
def test_what_differs_exits_with_1(rolltwin: Command, folder: Path) -> None:
    rolltwin("verify", "scenario.yaml", "--record", "kept", *QUICK)
    (journal,) = (folder / "kept").glob("*/journal.jsonl")
    lines = journal.read_text().splitlines()
    end = json.loads(lines[-1]) | {"verdict": "aborted", "reason": "somebody stumbled"}
    journal.write_text("\n".join([*lines[:-1], json.dumps(end)]) + "\n")
    told = rolltwin("verify", "--recorded", "kept", *QUICK)
    assert told.code == 1
    assert "fail: verdict: aborted, as 0 % of the twin's replications" in told.out


def test_what_is_missing_is_said_and_exits_with_2(rolltwin: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_choices: Choices) -> None:
        what = "docker"
        raise MissingError(what, "kind needs it", "Install Docker.")

    monkeypatch.setattr("harness.backend.on_cluster", nothing)
    told = rolltwin("verify", "scenario.yaml", *QUICK)
    assert told.code == 2
    assert told.err == "rolltwin verify: docker is missing: kind needs it. Install Docker.\n"


def test_a_run_that_never_came_about_leaves_the_others(rolltwin: Command, cluster: Pretended, folder: Path) -> None:
    cluster.troubles = [WaitError("four pods are ready", 60.0, "two are")]
    told = rolltwin("verify", "scenario.yaml", "--runs", "2", "--record", "kept", *QUICK)
    assert told.code == 2
    assert "never came about: four pods are ready: not within 60 s\ntwo are" in told.err
    assert "1 scenario, 1 cluster run;" in told.out
    assert len(list((folder / "kept").iterdir())) == 1


def test_ctrl_c_keeps_what_is_finished(rolltwin: Command, cluster: Pretended, folder: Path) -> None:
    cluster.troubles = [None, KeyboardInterrupt()]
    told = rolltwin("verify", "scenario.yaml", "--runs", "3", "--record", "kept", *QUICK)
    assert told.code == 130
    assert "1 of 3 runs are kept; compare them with: rolltwin verify --recorded kept" in told.err
    assert len(list((folder / "kept").iterdir())) == 1


def test_no_scenario_is_refused_before_anything_is_made(rolltwin: Command, cluster: Pretended) -> None:
    told = rolltwin("verify", *QUICK)
    assert told.code == 2
    assert "no scenario is named" in told.err
    assert not cluster.choices


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("argo", Maker(Decides.ARGO)),
        ("twin", Maker(Decides.TWIN)),
        ("argo-1.8", Maker(Decides.ARGO, Controller.parse("argo-1.8"))),
        ("twin:argo-1.8", Maker(Decides.TWIN, Controller.parse("argo-1.8"))),
        ("argo:argo-1.9", Maker(Decides.ARGO, Controller.parse("argo-1.9"))),
    ],
)
def test_who_decides(text: str, expected: Maker) -> None:
    assert Maker.parse(text) == expected


def test_nobody_else_decides(rolltwin: Command) -> None:
    told = rolltwin("verify", "scenario.yaml", "--controller", "flagger")
    assert told.code == 2
    assert "'flagger' is neither argo nor twin" in told.err
