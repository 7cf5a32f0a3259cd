"""``rolltwin diff``: what was changed in a policy, and what that does to the same releases."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reports.diff import documents
from sim.study.store import dump
from tests.e2e.conftest import ROLLOUT, SCENARIO, Command
from tests.programs import interrupted

GATED = ROLLOUT.replace(
    "        - pause: {duration: 5s}\n",
    """\
        - pause: {duration: 40s}
        - analysis: {templates: [{templateName: gate}]}
""",
)
GATE = """\
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: gate}
spec:
  metrics:
    - name: errors
      interval: 5s
      count: 4
      failureLimit: 0
      successCondition: len(result) == 0 || isNaN(result[0]) || result[0] < 0.02
      provider:
        prometheus:
          address: http://p:9090
          query: >-
            sum(rate(http_requests_total{status=~"5.."}[1m])) / sum(rate(http_requests_total[1m]))
"""
QUICK = ("--replications", "2", "--workers", "1")
GIT = shutil.which("git") or "git"


@pytest.fixture(autouse=True)
def undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take longer than everything else here; tests that look at them ask for ``drawn``."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(documents, "charts", lambda *_: ())


@pytest.fixture
def drawn() -> None:
    """Draw the figures."""


@pytest.fixture
def sides(folder: Path) -> Path:
    """old.yaml and new.yaml, the same gated policy in the same world, of manifests old/ and new/."""
    for side in ("old", "new"):
        (folder / side).mkdir()
        (folder / side / "shop.yaml").write_text(GATED + GATE, encoding="utf-8")
        text = SCENARIO.replace("[shop.yaml]", f"[{side}]").replace("rate: 5", "rate: 30")
        (folder / f"{side}.yaml").write_text(text, encoding="utf-8")
    return folder


def change(file: Path, was: str, now: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert was in text
    file.write_text(text.replace(was, now), encoding="utf-8")


def diffed(rolltwin: Command, *arguments: str, code: int = 0) -> dict[str, Any]:
    told = rolltwin("diff", *arguments, "--format", "json")
    assert told.code == code, told.err
    found: dict[str, Any] = json.loads(told.out)
    return found


def test_equal_policies_are_no_change_at_all(rolltwin: Command, sides: Path) -> None:
    change(sides / "new.yaml", "variant: small", "variant: other")
    found = diffed(rolltwin, "old.yaml", "new.yaml", *QUICK)
    assert found["same"] is True
    assert (found["policy"], found["findings"], found["decisions"]["reasons"]) == (
        {"changes": [], "settings": []},
        [],
        [],
    )
    assert not any(item["changed"] for item in found["decisions"]["transitions"])
    for kpi in found["kpis"].values():
        assert kpi["mark"] in {"no change", "no data"}
        assert kpi["difference"]["mean"] in {0, None}
    told = rolltwin("diff", "old.yaml", "new.yaml", *QUICK)
    assert "No change: the model reads nothing that was changed, and all 4 pairs of replays are equal." in told.out


def test_a_lenient_gate_lets_bad_releases_through(rolltwin: Command, sides: Path) -> None:
    change(sides / "new" / "shop.yaml", "< 0.02", "< 0.9")
    found = diffed(rolltwin, "old.yaml", "new.yaml", *QUICK, "--fail-on", "worse", code=1)
    assert [(item["release"], item["old"], item["new"], item["count"], item["of"])
            for item in found["decisions"]["transitions"] if item["changed"]] == [("bad", "aborted", "promoted", 2, 2)]  # fmt: skip
    (change_of_policy,) = found["policy"]["changes"]
    assert (change_of_policy["object"], change_of_policy["where"]) == (
        "AnalysisTemplate gate",
        "metric errors successCondition",
    )
    assert change_of_policy["old_place"] == "old/shop.yaml:27"
    assert found["kpis"]["miss_rate"]["difference"]["mean"] == 1
    assert found["worse"] is True


def test_the_seed_of_a_changed_decision_replays_it(rolltwin: Command, sides: Path) -> None:
    change(sides / "new" / "shop.yaml", "< 0.02", "< 0.9")
    told = rolltwin("diff", "old.yaml", "new.yaml", *QUICK)
    assert "bad: 2 of 2 aborted → promoted." in told.out
    (line,) = (line for line in told.out.splitlines() if " replay: " in line)
    again = rolltwin(*line.partition("rolltwin ")[2].split())
    assert again.code == 0
    old, new = again.out.split("NEW: new.yaml")
    assert "Verdict   aborted" in old
    assert "Verdict   promoted" in new


def test_what_argo_refuses_is_said_first(rolltwin: Command, sides: Path) -> None:
    change(sides / "new" / "shop.yaml", "setWeight: 50", "setWeight: 101")
    told = rolltwin("diff", "old.yaml", "new.yaml", *QUICK)
    assert told.code == 0
    first = next(line for line in told.out.splitlines() if line.startswith("- "))
    assert first.startswith("- NEW IS REFUSED: no release would start any more.")
    assert diffed(rolltwin, "old.yaml", "new.yaml", *QUICK)["new"]["refused"]
    assert "RT1" in told.out, "the new finding of check"


def test_a_fault_more_changes_no_arrival(rolltwin: Command, sides: Path) -> None:
    with (sides / "new.yaml").open("a", encoding="utf-8") as file:
        file.write("faults: [{name: slow, kind: slowdown, factor: 3, when: {start: 10s}}]\n")
    found = diffed(rolltwin, "old.yaml", "new.yaml", *QUICK)
    assert [item["path"] for item in found["world"]["differences"]] == ["faults[slow]"]
    seed = str(found["decisions"]["transitions"][0]["seed"])
    assert rolltwin("diff", "old.yaml", "new.yaml", "--replay", f"good:{seed}").code == 0
    old, new = (requests(sides / "rolltwin-out" / "diff" / f"good-{seed}" / side) for side in ("old", "new"))
    assert old == new != []


def requests(run: Path) -> list[tuple[float, int]]:
    """Client requests that ended in each interval of the first half minute."""
    rows = (json.loads(line) for line in (run / "journal.jsonl").read_text(encoding="utf-8").splitlines())
    return [(row["t_s"], row["client_requests"]) for row in rows if row["record"] == "traffic" and row["t_s"] <= 10]


def test_worlds_that_differ_are_named_first_and_can_be_made_one(rolltwin: Command, sides: Path) -> None:
    change(sides / "new.yaml", "rate: 30", "rate: 40")
    told = rolltwin("diff", "old.yaml", "new.yaml", *QUICK)
    assert "- NOT THE SAME WORLD: 1 field differs, so what follows is not due to the policy alone." in told.out
    assert "traffic.stages[0].rate: 30 → 40" in told.out
    found = diffed(rolltwin, "old.yaml", "new.yaml", *QUICK, "--world", "old")
    assert (found["same"], found["world"]["replayed"]) == (True, "old")


def test_a_folder_meets_a_scenario_in_its_world(rolltwin: Command, sides: Path) -> None:
    assert sides.is_dir()
    found = diffed(rolltwin, "old", "new.yaml", *QUICK, "--world", "new")
    assert {"traffic.stages[0].rate", "releases[bad]"} <= {item["path"] for item in found["world"]["differences"]}
    assert found["same"] is True


def test_sides_without_a_common_release_are_refused(rolltwin: Command, sides: Path) -> None:
    change(sides / "new.yaml", "name: good", "name: fine")
    change(sides / "new.yaml", "name: bad", "name: awful")
    change(sides / "new.yaml", "warm_up: 10s", "warm_up: 10s\nrelease: fine")
    told = rolltwin("diff", "old.yaml", "new.yaml", *QUICK)
    assert told.code == 2
    assert "no kind of release in common" in told.err
    assert "--world old or --world new" in told.err


def test_what_is_wrong_with_both_sides_is_said_at_once(rolltwin: Command, sides: Path) -> None:
    change(sides / "old.yaml", "warm_up: 10s", "warm_up: ten")
    told = rolltwin("diff", "old.yaml", "gone", *QUICK)
    assert (told.code, told.out) == (2, "")
    assert "old.yaml:6:1" in told.err
    assert "cannot read gone" in told.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("old.yaml",), "required: NEW", id="one-side"),
        pytest.param(("old.yaml", "new.yaml", "--replay", "good"), "is not RELEASE:SEED", id="replay-without-seed"),
        pytest.param(
            ("old.yaml", "new.yaml", "--replay", "x:1"), "releases here: good, bad", id="replay-of-no-release"
        ),
        pytest.param(
            ("old.yaml", "new.yaml", "--format", "pdf"), "'pdf' is not among text, json, md, html", id="format"
        ),
        pytest.param(("old.yaml", "new.yaml", "--world", "third"), "invalid choice: 'third'", id="world"),
        pytest.param(("nowhere:k8s", "new.yaml"), "nowhere:k8s: no such file here, and", id="no-revision"),
    ],
)
def test_a_wrong_command_is_refused_in_words(
    rolltwin: Command, sides: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert sides.is_dir()
    told = rolltwin("diff", *arguments)
    assert (told.code, told.out) == (2, "")
    assert said in told.err


@pytest.mark.parametrize(
    ("form", "said"),
    [
        pytest.param("md", "### Rollout policy: `old.yaml` → `new.yaml`", id="md"),
        pytest.param("markdown", "| bad     | 1     | none       | 1 of 1 aborted → promoted |", id="markdown"),
        pytest.param("html", "<!doctype html>", id="html"),
    ],
)
def test_other_forms(rolltwin: Command, sides: Path, form: str, said: str) -> None:
    change(sides / "new" / "shop.yaml", "< 0.02", "< 0.9")
    told = rolltwin("diff", "old.yaml", "new.yaml", "--replications", "1", "--workers", "1", "--format", form)
    assert told.code == 0
    assert said in told.out


@pytest.mark.usefixtures("drawn")
def test_files_written(rolltwin: Command, sides: Path) -> None:
    change(sides / "new" / "shop.yaml", "< 0.02", "< 0.9")
    command = ("diff", "old.yaml", "new.yaml", *QUICK, "--out", "out")
    assert rolltwin(*command).code == 0
    written = {path.name for path in (sides / "out").iterdir()}
    assert written == {"report.html", "report.md", "diff.json", "diff.svg", "timeline.svg", "replications.sqlite"}
    page = (sides / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    change(sides / "new" / "shop.yaml", "< 0.9", "< 0.02")
    assert rolltwin(*command).code == 0
    assert not (sides / "out" / "timeline.svg").exists(), "no decision changed"


def test_the_number_of_workers_changes_nothing(rolltwin: Command, sides: Path) -> None:
    change(sides / "new" / "shop.yaml", "duration: 40s", "duration: 30s")
    one, two = (
        diffed(rolltwin, "old.yaml", "new.yaml", "--replications", "2", "--workers", workers, "--out", f"out{workers}")
        for workers in ("1", "2")
    )
    assert one == two


def test_an_interrupted_diff_goes_on(rolltwin: Command, sides: Path) -> None:
    change(sides / "new" / "shop.yaml", "duration: 40s", "duration: 30s")
    arguments = ("old.yaml", "new.yaml", "--replications", "6", "--workers", "1", "--out")
    assert "go on with: rolltwin" in interrupted("diff", *arguments, "cut", cwd=sides)
    assert diffed(rolltwin, *arguments, "cut") == diffed(rolltwin, *arguments, "whole")
    store = "replications.sqlite"
    assert list(dump(sides / "cut" / store)) == list(dump(sides / "whole" / store))


def git(folder: Path, *arguments: str) -> None:
    names = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run([GIT, *names, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_revision_of_git_is_a_side(rolltwin: Command, sides: Path) -> None:
    git(sides, "init", "-q", "-b", "main")
    git(sides, "add", ".")
    git(sides, "commit", "-qm", "before")
    change(sides / "new" / "shop.yaml", "failureLimit: 0", "failureLimit: 2")
    found = diffed(rolltwin, "main:new", "new", *QUICK, "--set", "traffic.stages[0].rate=5")
    (limit,) = found["policy"]["changes"]
    assert (limit["old_place"], limit["new_place"]) == ("main:new/shop.yaml:26", "new/shop.yaml:26")
    whole = diffed(rolltwin, "main:./new.yaml", "new.yaml", *QUICK)
    assert [item["old_place"] for item in whole["policy"]["changes"]] == ["main:new/shop.yaml:26"]
    told = rolltwin("diff", "main:gone", "other:new", *QUICK)
    assert told.code == 2
    assert "revision main has no manifest at gone" in told.err
    assert "Git knows no revision 'other'" in told.err
