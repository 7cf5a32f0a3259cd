"""Whatever users type, the program ends with 0, 1, 2 or 130 and words that name the place and the remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import ROLLOUT, Command

TEMPLATE = """\
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: gate}
spec:
  metrics:
    - name: errors
      interval: 1ns
      count: 1000000000
      successCondition: result[0] < 0.05
      provider: {prometheus: {address: "http://p:9090", query: up}}
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "required: COMMAND", id="nothing"),
        pytest.param(("fly",), "invalid choice: 'fly'", id="unknown-command"),
        pytest.param(("run",), "required: SCENARIO|MANIFESTS", id="run-nothing"),
        pytest.param(("run", "gone.yaml"), "gone.yaml: no such file or directory", id="absent-file"),
        pytest.param(("score", "gone.yaml"), "gone.yaml: no such file or directory", id="score-absent-file"),
        pytest.param(("check", "gone"), "no such file or directory: gone", id="check-absent-file"),
        pytest.param(("run", "scenario.yaml", "--seed", "-1"), "'-1' is not a whole number from 0", id="seed-below-0"),
        pytest.param(("run", "scenario.yaml", "--seed", "x"), "'x' is not a whole number from 0", id="seed-word"),
        pytest.param(("run", "scenario.yaml", "--release", "x"), "releases here: good, bad", id="unknown-release"),
        pytest.param(("run", "scenario.yaml", "--crds", "gone"), "cannot read gone", id="absent-crds"),
        pytest.param(("run", "scenario.yaml", "--out", "shop.yaml"), "shop.yaml", id="out-is-a-file"),
        pytest.param(("run", "scenario.yaml", "--set", "x"), "must be key=value", id="set-without-value"),
        pytest.param(("run", "scenario.yaml", "--set", "x=1"), "x: unknown field", id="set-unknown-key"),
        pytest.param(
            ("run", "scenario.yaml", "--set", "traffic.stages[9].rate=1"), "no traffic.stages[9]", id="set-no-place"
        ),
        pytest.param(
            ("run", "scenario.yaml", "--set", "traffic.stages[0].rate=1e7"), "requests would be", id="huge-rate"
        ),
        pytest.param(("run", "scenario.yaml", "--set", "seed={"), "--set seed={", id="set-broken-yaml"),
        pytest.param(("score", "scenario.yaml", "--workers", "0"), "'0' is not a whole number from 1", id="workers-0"),
        pytest.param(("score", "scenario.yaml", "--workers", "-1"), "'-1' is not a whole number", id="workers-below-0"),
        pytest.param(("score", "scenario.yaml", "--replications", "0"), "'0' is not a whole number", id="none-to-do"),
        pytest.param(("score", "--strategies", "x"), "x is not among canary", id="unknown-strategy"),
        pytest.param(("score", "--variant", ","), "nothing is not among as-written", id="no-variant"),
        pytest.param(("score", "scenario.yaml", "scenario.yaml"), "both named 'shop'", id="same-name-twice"),
        pytest.param(("explain", "x"), "topics: ", id="explain-unknown"),
        pytest.param(("explain", "scenario.x"), "parts: schema, ", id="explain-unknown-part"),
        pytest.param(("check", "shop.yaml", "--ignore", "RT999"), "no rule has the code RT999", id="ignore-unknown"),
    ],
)
def test_a_wrong_command_is_refused_in_words(rolltwin: Command, arguments: tuple[str, ...], said: str) -> None:
    told = rolltwin(*arguments)
    assert (told.code, told.out) == (2, "")
    assert said in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("a.yaml", b"", "a.yaml:1:1", id="empty-file"),
        pytest.param("a.yaml", b"\xff\xfe\x00\x93", "not UTF-8 text", id="binary-file"),
        pytest.param("a.yaml", b"schema: rolltwin/v1\n", "no Rollout and no Deployment was read", id="no-manifests"),
        pytest.param("a.yaml", b"- 1\n", "no Rollout and no Deployment was read", id="a-list"),
        pytest.param("a.yaml", b"[" * 1500 + b"]" * 1500, "a.yaml", id="deep-nesting"),
        pytest.param("a.yaml", ROLLOUT.replace("4", "100000", 1).encode(), "a.yaml:5:3: error RT800", id="many-pods"),
        pytest.param(
            "a.yaml", (ROLLOUT + TEMPLATE).encode(), "a.yaml:23:7: error RT800", id="measured-each-nanosecond"
        ),
        pytest.param("店 1.yaml", b"\t", "店 1.yaml", id="name-with-space"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_refused_at_its_place(
    rolltwin: Command, folder: Path, name: str, content: bytes, said: str
) -> None:
    (folder / name).write_bytes(content)
    told = rolltwin("run", name)
    assert (told.code, told.out) == (2, "")
    assert said in told.err
    assert not (folder / "rolltwin-out").exists()


@pytest.mark.parametrize(
    ("override", "verdict"),
    [
        pytest.param("seed=1", "promoted", id="nothing-odd"),
        pytest.param("traffic.stages[0].rate=0", "promoted", id="no-traffic"),
        pytest.param("cluster.nodes=0", "aborted", id="no-nodes"),
        pytest.param("client={timeout: 0s}", "promoted", id="impatient-clients"),
        pytest.param("client={retries: 100, timeout: 1ms, backoff: 0s}", "promoted", id="stubborn-clients"),
        pytest.param("slo=100%", "promoted", id="no-error-budget"),
        pytest.param("stable={statuses: {200: 50%}}", "promoted", id="half-of-them-good-by-name"),
        pytest.param("horizon=10s", "stuck", id="horizon-within-the-rollout"),
        pytest.param("warm_up=0s", "promoted", id="no-warm-up"),
        pytest.param("name=日本 語/..", "promoted", id="name-of-any-script"),
    ],
)
def test_an_odd_world_still_ends_in_a_verdict(rolltwin: Command, override: str, verdict: str) -> None:
    told = rolltwin("run", "scenario.yaml", "--set", override, "--format", "json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["verdict"] == verdict


@pytest.mark.parametrize("client", ["{timeout: 0s}", "{retries: 100, timeout: 1ms, backoff: 0s}"])
def test_a_promotion_under_which_everything_fails_is_degraded(rolltwin: Command, client: str) -> None:
    """In the small world the run ends before a whole window of the promoted release has been seen."""
    told = rolltwin("run", "scenario.yaml", "--set", f"client={client}", "--set", "tail=1m", "--format", "json")
    assert told.code == 0, told.err
    run = json.loads(told.out)
    assert run["verdict"] == "degraded"
    assert run["reason"] == "success was reported while 100 % of requests failed"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        pytest.param(ROLLOUT.split("      steps:")[0], "promoted", id="no-steps"),
        pytest.param(ROLLOUT.replace("replicas: 4", "replicas: 0"), "promoted", id="no-pods"),
        pytest.param(ROLLOUT.replace("setWeight: 50", "setWeight: 101"), "rejected", id="weight-of-101"),
        pytest.param(ROLLOUT.split("    canary:")[0].replace("  strategy:", "  strategy: {}"), "rejected", id="none"),
        pytest.param(ROLLOUT + "    blueGreen: {activeService: shop}\n", "rejected", id="two-strategies"),
        pytest.param(ROLLOUT.split("  template:")[0] + "  strategy: {canary: {}}\n", "rejected", id="no-template"),
    ],
)
def test_an_odd_rollout_still_ends_in_a_verdict(rolltwin: Command, folder: Path, text: str, verdict: str) -> None:
    (folder / "shop.yaml").write_text(text, encoding="utf-8")
    told = rolltwin("run", "scenario.yaml", "--format", "json")
    assert told.code == 0, told.err
    assert f'"verdict": "{verdict}"' in told.out


def test_bare_manifests_name_the_world_they_are_replayed_in(rolltwin: Command) -> None:
    told = rolltwin("run", "shop.yaml", "--set", "traffic.stages[0].rate=5", "--format", "json")
    assert told.code == 0
    assert "packaged default traffic" in told.err
    assert "rolltwin explain default" in told.err


def test_a_world_in_which_no_release_matters_is_named(rolltwin: Command, folder: Path) -> None:
    (folder / "shop.yaml").write_text(ROLLOUT.replace("replicas: 4", "replicas: 1"), encoding="utf-8")
    told = rolltwin("run", "scenario.yaml", "--set", "traffic.stages[0].rate=200", "--set", "horizon=1m")
    assert "the offered traffic is 113 % of what the stable version's pods can serve" in told.err
    assert "can serve" not in rolltwin("run", "scenario.yaml", "--set", "horizon=1m").err


def test_a_query_for_a_metric_that_does_not_exist_is_named(rolltwin: Command, folder: Path) -> None:
    gate = (
        TEMPLATE.replace("1ns", "1s").replace("1000000000", "2").replace("query: up", "query: \"shop_orders{a='b'}\"")
    )
    step = "        - analysis: {templates: [{templateName: gate}]}\n"
    (folder / "shop.yaml").write_text(ROLLOUT + step + gate)
    told = rolltwin("run", "scenario.yaml")
    assert told.code == 0
    assert "asks prometheus for shop_orders, which nothing in the simulated cluster exposes (RT812)" in told.err


def test_of_several_rollouts_one_has_to_be_named(rolltwin: Command, folder: Path) -> None:
    other = ROLLOUT.replace("name: shop}", "name: cart}")
    (folder / "two.yaml").write_text(f"{ROLLOUT}---\n{other}", encoding="utf-8")
    told = rolltwin("run", "two.yaml")
    assert (told.code, told.out) == (2, "")
    assert "two.yaml:1:1: error RT800 strategy: 2 Rollouts were read: cart, shop" in told.err
    assert "--rollout NAME" in told.err
    told = rolltwin("run", "two.yaml", "--rollout", "cart", "--set", "traffic.stages[0].rate=5", "--out", "out")
    assert told.code == 0, told.err
    assert '"cart-' in (folder / "out" / "journal.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["AnalysisRun", "Experiment", "AnalysisTemplate"])
def test_what_is_no_workload_cannot_be_released(rolltwin: Command, folder: Path, kind: str) -> None:
    text = f"apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata: {{name: alone}}\nspec: {{metrics: []}}\n"
    (folder / "alone.yaml").write_text(text, encoding="utf-8")
    told = rolltwin("run", "alone.yaml")
    assert (told.code, told.out) == (2, "")
    assert f"no Rollout and no Deployment was read, only 1 {kind}" in told.err


def test_several_runs_do_not_overwrite_each_other(rolltwin: Command, folder: Path) -> None:
    (folder / "other.yaml").write_text("extends: scenario.yaml\nname: other\n", encoding="utf-8")
    assert rolltwin("run", "scenario.yaml", "other.yaml", "--out", "out").code == 0
    assert len(list((folder / "out").glob("*/run.json"))) == 2


@pytest.mark.parametrize("command", ["check", "run", "score", "diff", "explain"])
def test_every_command_explains_itself(rolltwin: Command, command: str) -> None:
    told = rolltwin(command, "--help")
    assert told.code == 0
    assert "usage: rolltwin " + command in told.out
