from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.study import documents
from sim.study.store import dump
from tests.e2e.conftest import Command
from tests.study.stores import replications

QUICK = ("--replications", "2", "--workers", "1", "--data-plane", "exact")


@pytest.fixture(autouse=True)
def undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take longer than everything else here; the test that looks at the files draws them."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(documents, "differences_svg", lambda _card: b"")


@pytest.fixture
def drawn() -> None:
    """Draw the figure."""


@pytest.mark.usefixtures("drawn")
def test_every_combination_is_compared_with_the_first(rolltwin: Command, folder: Path) -> None:
    told = rolltwin(
        "study", "scenario.yaml", "--param", "canary.steps[1].pause=5s,20s", "--param", "canary.steps[0].setWeight=25,50",
        *QUICK, "--out", "out", "--format", "json",
    )  # fmt: skip
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert [row["label"] for row in found["settings"]] == [
        f"steps[1].pause={pause}, steps[0].setWeight={weight}" for pause in ("5s", "20s") for weight in (25, 50)
    ]
    longer = found["settings"][2]["kpis"]["deployment_duration"]["difference"]
    assert longer["mean"] == pytest.approx(0.25, abs=0.05), "a quarter of a minute of pause more"
    assert longer["change"] == "worse"
    assert {path.name for path in (folder / "out").iterdir()} == {
        "report.md", "study.json", "study.csv", "differences.svg", "replications.sqlite",
    }  # fmt: skip
    assert replications(folder / "out" / "replications.sqlite") == 4 * 2 * 2


def test_scenarios_are_settings_too_and_any_is_the_baseline(rolltwin: Command, folder: Path) -> None:
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    (folder / "other.yaml").write_text(text.replace("variant: small", "variant: other"), encoding="utf-8")
    for chosen in ("2", "shop (other)"):
        told = rolltwin("study", "scenario.yaml", "other.yaml", *QUICK, "--baseline", chosen)
        assert told.code == 0, told.err
        assert "2 settings, compared with shop (other)" in told.out
    assert "No setting is clearly better or worse than the baseline in anything shown." in told.out


def test_it_stops_when_it_is_precise_enough(rolltwin: Command) -> None:
    command = ("study", "scenario.yaml", "--data-plane", "exact", "--workers", "1", "--max-replications", "31")
    coarse, fine = (
        json.loads(rolltwin(*command, "--format", "json", "--precision", f"miss_rate={wish}").out)
        for wish in ("30%", "0.1%")
    )
    assert (coarse["replications"], coarse["looks"], coarse["precision"][0]["met"]) == (30, [30, 31], True)
    assert (fine["replications"], fine["precision"][0]["met"]) == (31, False)


def test_a_study_uses_what_a_score_ran(rolltwin: Command, folder: Path) -> None:
    shared = ("--store", "all.sqlite", "--workers", "1", "--data-plane", "exact", "--replications", "2")
    assert rolltwin("score", "scenario.yaml", *shared, "--format", "json").code == 0
    before = list(dump(folder / "all.sqlite"))
    assert rolltwin("study", "scenario.yaml", *shared).code == 0
    assert list(dump(folder / "all.sqlite")) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--precision", "speed=1"), "'speed' is no indicator: lead_time,", id="no indicator"),
        pytest.param(("--precision", "miss_rate"), "is no positive number of share", id="no width"),
        pytest.param(("--precision", "miss_rate=-1%"), "is no positive number of share", id="below nothing"),
        pytest.param(("--precision", "time_to_detect=soon"), "is no positive number of min", id="no number"),
        pytest.param(("--precision", "time_to_detect=nan"), "is no positive number of min", id="nan"),
        pytest.param(("--baseline", "7"), "no setting is '7'", id="no such baseline"),
        pytest.param(("--param", "canary.steps[9].pause=1m"), "canary.steps[9]", id="no such step"),
        pytest.param(("--param", "pause"), "must be NAME=LOW..HIGH or NAME=A,B,C", id="no values"),
        pytest.param(("--engine", "ray://here"), "neither processes nor dask://HOST:PORT", id="no engine"),
        pytest.param(("--engine", "dask://"), "neither processes nor dask://HOST:PORT", id="no address"),
        pytest.param(
            ("--param", "canary.steps[1].pause=" + ",".join(f"{n}s" for n in range(1, 502))),
            "501 settings are more than 500", id="too many",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(rolltwin: Command, arguments: tuple[str, ...], said: str) -> None:
    told = rolltwin("study", "scenario.yaml", *QUICK, *arguments)
    assert told.code == 2
    assert said in told.err
    assert "Traceback" not in told.err


def test_other_releases_cannot_be_paired(rolltwin: Command, folder: Path) -> None:
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    changed = text.replace("variant: small", "variant: other").replace("name: bad", "name: worse")
    (folder / "other.yaml").write_text(changed, encoding="utf-8")
    told = rolltwin("study", "scenario.yaml", "other.yaml", *QUICK)
    assert told.code == 2
    assert "shop (other) meets other kinds of release than shop (small)" in told.err


def test_a_cluster_that_is_not_there_is_no_traceback(rolltwin: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("sim.study.engines.on_dask._CONNECT_S", 1)
    told = rolltwin("study", "scenario.yaml", *QUICK, "--engine", "dask://127.0.0.1:9")
    assert told.code == 2
    assert "127.0.0.1:9: no Dask scheduler answers there" in told.err
