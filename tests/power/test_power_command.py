"""``rolltwin power``: what it prints and writes, on the playbook, on bare manifests, without gates, on bad options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rolltwin.cli.main import main
from scenarios import library
from scenarios.document import load
from scenarios.power.models import Rollout, rollout_of
from sim.model.strategy import Geographic
from tests.power.rollouts import GOOD, manifests, metric

GATE = metric(GOOD, successCondition="'result[0] >= 0.995'", interval="1m", count=3, failureLimit=1)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    folder = tmp_path / "k8s"
    folder.mkdir()
    (folder / "shop.yaml").write_text(manifests(GATE), encoding="utf-8")
    return folder


def test_bare_manifests_are_judged_at_the_traffic_asked_for(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["power", str(bare), "--rps", "100", "--replications", "0", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "Rollout shop at 100 requests/s" in text
    assert "gate  step 3  450            0.038 %" in text
    assert "closed form: binomial, exact" in text
    assert sorted(path.name for path in out.iterdir()) == ["power.json", "power.svg", "report.md"]
    assert "![operating characteristic curves](power.svg)" in (out / "report.md").read_text(encoding="utf-8")


def test_advice_reaches_what_is_wanted(bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--rps", "50", "--healthy", "0.1%", "--release", "1%", "--replications", "0", "--format", "json"]
    assert main(["power", str(bare), *asked, "--out", str(tmp_path / "out")]) == 0
    (gate,) = json.loads(capsys.readouterr().out)["rollouts"][0]["gates"]
    assert gate["reaches_wanted"] is False
    knobs = {one["knob"]: one for one in gate["enough"] if one["value"] is not None}
    assert set(knobs) == {"share", "window", "traffic", "limits"}
    assert knobs["traffic"]["rps"] > 50
    assert all(one["false_abort"] <= 0.01 and one["miss"] <= 0.05 for one in knobs.values())
    assert knobs["share"]["value"] > 10
    assert knobs["window"]["value"] > 60


def test_every_simulated_point_stands_beside_the_closed_form(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--rps", "100", "--grid", "0.5%", "--replications", "3", "--workers", "1", "--format", "md"]
    assert main(["power", str(bare), *asked, "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert "| true error ratio | closed form | simulated (99 % interval) |" in text
    assert "of 3 (" in text
    assert "### All gates together" in text


def test_the_same_seed_gives_the_same_files(bare: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        asked = ["--rps", "100", "--grid", "1%", "--replications", "2", "--workers", "1", "--format", "json"]
        assert main(["power", str(bare), *asked, "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "a" / "power.svg").read_bytes() == (tmp_path / "b" / "power.svg").read_bytes()
    assert (tmp_path / "a" / "report.md").read_bytes() == (tmp_path / "b" / "report.md").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["repaired", "corrected"])
def test_the_playbooks_canary_is_judged(variant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = library.playbook("canary", variant)
    assert main(["power", str(path), "--rps", "1000", "--replications", "0", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    if variant == "repaired":
        assert "success-rate at step 3 sees 151 requests a measurement (1 % of the traffic)" in text
        assert "it averages what each host computed by itself" in text
    else:
        assert "counted (Monte Carlo over what each scrape sees), because windows overlap" in text


def test_of_several_regions_the_first_is_judged_by_its_own_traffic() -> None:
    scenario = load(library.playbook("geographic", "repaired")).scenario
    found = rollout_of(scenario)
    assert isinstance(found, Rollout)
    assert isinstance(scenario.strategy, Geographic)
    first = scenario.strategy.phases[0].regions[0]
    assert found.region == first.name
    assert found.flow.rate_rps(0.0) == pytest.approx(first.share * scenario.load.rate_rps(0.0))


def test_nothing_can_abort_where_there_are_no_gates(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (bare / "shop.yaml").read_text(encoding="utf-8")
    head, _, tail = text.partition("        - analysis:\n")
    (bare / "shop.yaml").write_text(head + tail.partition("---\n")[1] + tail.partition("---\n")[2], encoding="utf-8")
    assert main(["power", str(bare), "--out", str(tmp_path / "out")]) == 0
    assert "nothing measures the release, so nothing can abort it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (["--rps", "-5"], "is no number of requests a second"),
        (["--rps", "nan"], "is no number of requests a second"),
        (["--release", "120%"], "is no share"),
        (["--slower", "fast"], "is neither a factor (2x) nor a time (+100ms)"),
        (["--grid", "1%,x"], "is no share"),
        (["--power", "2"], "is no share"),
    ],
)
def test_bad_options_are_refused_in_words(
    option: list[str], text: str, bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["power", str(bare), *option])
    assert stop.value.code == 2
    assert text in capsys.readouterr().err


def test_factors_and_times_are_not_mixed(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["power", str(bare), "--slower", "2x", "--latency-grid", "+100ms"]) == 2
    assert "mix factors (2x) and times (+100ms)" in capsys.readouterr().err
