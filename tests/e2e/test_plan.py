"""``rolltwin plan`` on good input, on bad input, on very small and very large rollouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenarios import library
from tests.e2e.conftest import ROLLOUT, Command

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
"""


def with_steps(*steps: str, replicas: int = 4) -> str:
    head = ROLLOUT.split("      steps:\n")[0].replace("replicas: 4", f"replicas: {replicas}")
    return head + "      steps:\n" + "".join(f"        - {step}\n" for step in steps)


def test_prints_and_writes_the_timetable(rolltwin: Command, folder: Path) -> None:
    told = rolltwin("plan", "shop.yaml")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("Rollout shop: canary by pods, 4 pods\n")
    assert "setWeight 50" in told.out
    where = folder / "rolltwin-out/shop/plan"
    assert told.out.endswith("written to rolltwin-out/shop/plan: plan.json, plan.png, plan.svg\n")
    plan = json.loads((where / "plan.json").read_text(encoding="utf-8"))["plans"][0]
    # Half of four pods, a pause of 5 s, the other half; nothing can abort it.
    assert [(row["what"], row["weight"]) for row in plan["rows"]] == [
        ("setWeight 50", 50.0), ("pause 5s", 50.0), ("promote", 100.0),
    ]  # fmt: skip
    assert plan["peak"]["pods"] == 5
    assert plan["bound_s"] is None
    assert (where / "plan.svg").read_bytes().startswith(b"<?xml")


def test_a_scenarios_strategy_and_its_overrides(rolltwin: Command) -> None:
    late = "cluster.schedule={median: 60s, shape: constant}"
    slow = rolltwin("plan", "scenario.yaml", "--set", late, "--format", "json", "--out", "there")
    plan = json.loads(slow.out)["plans"][0]
    assert plan["rows"][0]["end"]["earliest_s"] >= 60
    assert Path("there/plan.svg").exists()


def test_markdown_for_a_pull_request(rolltwin: Command) -> None:
    told = rolltwin("plan", "shop.yaml", "--format", "markdown")
    assert told.code == 0
    assert told.out.startswith("## Rollout shop: canary by pods, 4 pods\n")


def test_every_rollout_of_the_input(rolltwin: Command, folder: Path) -> None:
    (folder / "all.yaml").write_text(
        ROLLOUT + "---\n" + ROLLOUT.replace("shop", "cart") + "---\n" + DEPLOYMENT, encoding="utf-8"
    )
    told = rolltwin("plan", "all.yaml", "--out", "both", "--format", "json")
    assert [plan["subject"] for plan in json.loads(told.out)["plans"]] == ["Rollout shop", "Rollout cart"]
    assert {path.name for path in (folder / "both").iterdir()} == {"shop", "cart"}
    one = rolltwin("plan", "all.yaml", "--rollout", "cart", "--format", "json")
    assert [plan["subject"] for plan in json.loads(one.out)["plans"]] == ["Rollout cart"]


def test_a_deployment_alone(rolltwin: Command, folder: Path) -> None:
    (folder / "web.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    told = rolltwin("plan", "web.yaml")
    assert told.code == 0
    assert told.out.startswith("Deployment web: rolling update, 1 more and 0 fewer pods at a time, 3 pods\n")


def test_a_refused_release_has_its_words_and_no_timetable(rolltwin: Command, folder: Path) -> None:
    (folder / "bad.yaml").write_text(with_steps("setWeight: 200"), encoding="utf-8")
    told = rolltwin("plan", "bad.yaml")
    assert told.code == 1
    assert "Rejected by controller: Degraded, InvalidSpec" in told.out
    assert "written to" not in told.out


@pytest.mark.parametrize("variant", library.VARIANTS)
def test_the_playbooks_canary(rolltwin: Command, variant: str) -> None:
    told = rolltwin("plan", str(library.playbook("canary", variant)), "--out", "out")
    assert told.code == (1 if variant == "as-written" else 0)
    said = {
        "as-written": "Rejected by api-server: strict decoding error",
        "repaired": "The release serves everybody +55m16s after the apply at the earliest",
        "corrected": "The release serves everybody +10m00s after the apply at the earliest",
    }
    assert said[variant] in told.out


@pytest.mark.parametrize("replicas", [0, 1, 2000])
def test_any_number_of_replicas(rolltwin: Command, folder: Path, replicas: int) -> None:
    (folder / "n.yaml").write_text(with_steps("setWeight: 50", "pause: {}", replicas=replicas), encoding="utf-8")
    told = rolltwin("plan", "n.yaml")
    assert told.code == 0
    assert "waits for a person" in told.out


def test_very_many_steps(rolltwin: Command, folder: Path) -> None:
    steps = [step for weight in range(150) for step in (f"setWeight: {weight // 2}", "pause: {duration: 1}")]
    (folder / "n.yaml").write_text(with_steps(*steps), encoding="utf-8")
    told = rolltwin("plan", "n.yaml")
    assert told.code == 0
    assert "more (plan.json has them)" in told.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "required: SCENARIO|MANIFESTS", id="nothing"),
        pytest.param(("gone.yaml",), "gone.yaml: no such file or directory", id="absent-file"),
        pytest.param(("gone.yaml", "away/"), "away: no such file or directory", id="absent-files-all-at-once"),
        pytest.param(("shop.yaml", "--format", "html"), "'html' is not among text, json, md", id="unknown-format"),
        pytest.param(("shop.yaml", "--rollout", "x"), "no Rollout 'x' in the manifests", id="unknown-rollout"),
        pytest.param(("shop.yaml", "--controller", "argo-9"), "argo-9", id="unknown-controller"),
        pytest.param(("shop.yaml", "--set", "x=1"), "x: unknown field", id="set-unknown-key"),
        pytest.param(("shop.yaml", "--out", "shop.yaml"), "shop.yaml", id="out-is-a-file"),
        pytest.param(("shop.yaml", "--crds", "gone"), "gone", id="absent-crds"),
        pytest.param(("broken.yaml",), "broken.yaml:2", id="broken-yaml"),
        pytest.param(("empty.yaml",), "no Rollout and no Deployment was read", id="nothing-to-plan"),
    ],
)
def test_bad_input_ends_with_2(rolltwin: Command, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    (folder / "broken.yaml").write_text("a: [1\nb: }", encoding="utf-8")
    (folder / "empty.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: s}\n", encoding="utf-8")
    told = rolltwin("plan", *arguments)
    assert told.code == 2
    assert said in told.err
    assert "Traceback" not in told.err
