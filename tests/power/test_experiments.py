"""Analyses of an experiment step are gates like others: reported at their step, simulated, and in the whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.power.reading import reading_of
from rolltwin.cli.main import main
from scenarios.power.courses import course
from scenarios.power.replicas import observed
from scenarios.power.world import Truth
from sim.study import run_once
from tests.power import rollouts
from tests.power.rollouts import GOOD, metric

GATE = metric(GOOD, successCondition="'result[0] >= 0.995'", interval="1m", count=3, failureLimit=0)
FROM_RELEASE = "valueFrom: {podTemplateHashValue: Latest}"
FROM_EXPERIMENT = 'value: "{{templates.try.podTemplateHash}}"'


def manifests(of: str = FROM_RELEASE, weight: str = "") -> str:
    text = rollouts.manifests(GATE)
    head, _, rest = text.partition("        - analysis:\n")
    own = rest.partition("---\n")[2]
    return f"""{head}\
        - experiment:
            duration: 4m
            templates: [{{name: baseline, specRef: stable}}, {{name: try, specRef: canary{weight}}}]
            analyses:
              - name: judge
                templateName: gates
                args: [{{name: hash, {of}}}]
              - name: judge-2
                templateName: gates
                args: [{{name: hash, {of}}}]
---
{own}"""


def test_each_analysis_of_an_experiment_is_a_gate_of_its_step(tmp_path: Path) -> None:
    models = rollouts.rollout_of_text(tmp_path, manifests())
    assert [gate.name for gate in models.gates] == [
        "gate, step 3, experiment judge",
        "gate, step 3, experiment judge-2",
    ]
    row = models.gates[0].row_at(models.gates[0].first_s)
    assert row is not None
    assert row.number == 3


def test_its_measurements_are_found_in_the_journal_where_the_model_expects_them(tmp_path: Path) -> None:
    models = rollouts.rollout_of_text(tmp_path, manifests())
    found = reading_of(run_once(observed(models.scenario, Truth(0.02)), 3))
    assert {one.key for one in found.gates} == {
        ("experiment", 2, "judge", "gate"),
        ("experiment", 2, "judge-2", "gate"),
    }
    judge = found.of(("experiment", 2, "judge", "gate"))
    assert judge is not None
    assert judge.phases[0] == "F"
    # Pods of the release and of the experiment start first, 10 s each in the median: the model has no probe to wait for.
    assert judge.times_s[0] == pytest.approx(models.gates[0].first_s, abs=40.0)


def test_one_on_the_release_has_a_closed_form_and_one_on_pods_of_the_experiment_says_why_not(tmp_path: Path) -> None:
    models = rollouts.rollout_of_text(tmp_path, manifests())
    assert course(models, models.gates[0], Truth(0.02)) is not None
    assert (
        rollouts.rollout_of_text(tmp_path, manifests(FROM_EXPERIMENT)).gates[0].reason
        == "it judges the experiment's own pods"
    )
    weighing = manifests(weight=", weight: 5").replace("{nginx: {stableIngress: shop}}", "{smi: {}}")
    weighted = rollouts.rollout_of_text(tmp_path, weighing).gates[0]
    assert weighted.reason == "the experiment's own pods take part of the traffic"


def test_the_report_has_them_with_what_was_simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.yaml").write_text(manifests(), encoding="utf-8")
    asked = ["--rps", "100", "--release", "5%", "--grid", "5%", "--replications", "2", "--workers", "1"]
    assert main(["power", str(tmp_path / "shop.yaml"), *asked, "--format", "json", "--out", str(tmp_path / "out")]) == 0
    gates = json.loads(capsys.readouterr().out)["rollouts"][0]["gates"]
    assert [gate["where"] for gate in gates] == ["step 3, experiment judge", "step 3, experiment judge-2"]
    for gate in gates:
        assert {dot["true"]: dot["aborted"]["hits"] for dot in gate["simulated"]}[0.05] == 2
