"""Broken scenarios: each is refused with its place, its path, what was expected and, where known, how to mend it."""

from pathlib import Path

import pytest

from scenarios.document import from_manifests, load
from scenarios.findings import BadInput, Finding, path_text

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
"""
HEAD = "schema: rolltwin/v1\nmanifests: [web.yaml]\n"


def findings_of(folder: Path, text: str, *overrides: str) -> tuple[Finding, ...]:
    (folder / "web.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    file = folder / "scenario.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load(file, overrides)
    return caught.value.findings


@pytest.mark.parametrize(
    ("text", "line", "path", "message"),
    [
        pytest.param("", 1, "", "is not a scenario", id="empty-file"),
        pytest.param("- a\n- b\n", 1, "", "is not a scenario", id="a-list"),
        pytest.param("just words\n", 1, "", "is not a scenario", id="words"),
        pytest.param("schema: [\n", 2, "", "parsing a flow node", id="bad-yaml"),
        pytest.param("schema: rolltwin/v1\nschema: rolltwin/v1\n", 2, "schema", "already set", id="duplicate-key"),
        pytest.param(
            "schema: rolltwin/v9\nmanifests: [web.yaml]\n", 1, "schema", "one of rolltwin/v1", id="other-version"
        ),
        pytest.param("manifests: [web.yaml]\n", 1, "", "schema is missing", id="no-schema"),
        pytest.param(HEAD + "trafic: {}\n", 3, "trafic", "unknown field", id="unknown-key"),
        pytest.param(
            HEAD + "operations:\n  - {at: 1m, do: fly}\n", 4, "operations[0].do", "one of promote", id="command"
        ),
        pytest.param(HEAD + "operations:\n  - {at: 1m, do: abort}\n", 3, "operations", "only a Rollout", id="operated"),
        pytest.param(
            HEAD + "operations:\n  - {at: 1m, do: scale}\n", 4, "operations[0]", "scale needs replicas", id="scale"
        ),
        pytest.param(
            HEAD + "operations:\n  - {at: 1m, do: abort, revision: 2}\n",
            4,
            "operations[0].revision",
            "only undo knows it, not abort",
            id="revision-of-abort",
        ),
        pytest.param(
            HEAD + "operations:\n  - {at: 1m, do: apply, release: x}\n",
            4,
            "operations[0].release",
            "no release is named 'x'",
            id="apply-unknown-release",
        ),
        pytest.param(
            HEAD + "operations:\n  - {at: 5h, do: abort}\n", 4, "operations[0].at", "after the horizon", id="too-late"
        ),
        pytest.param(HEAD + "traffic: 300\n", 3, "traffic", "must be a mapping", id="scalar-for-mapping"),
        pytest.param(HEAD + "traffic:\n  stages: []\n", 4, "traffic.stages", "non-empty list", id="no-stages"),
        pytest.param(
            HEAD + "traffic:\n  stages:\n    - {duration: 5m, rate: -1}\n",
            5,
            "traffic.stages[0].rate",
            "requests/s, a number from 0",
            id="negative-rate",
        ),
        pytest.param(
            HEAD + "traffic:\n  stages:\n    - {duration: 5m, rate: 20/node}\n",
            5,
            "traffic.stages[0].rate",
            "20/pod",
            id="rate-for-each-node",
        ),
        pytest.param(
            HEAD
            + "strategy: {kind: switch-script, virtual_service: v}\ntraffic:\n  stages: [{duration: 5m, rate: 20/pod}]\n",
            5,
            "traffic.stages",
            "needs a strategy that releases one",
            id="rate-for-each-pod-of-none",
        ),
        pytest.param(
            HEAD + "traffic:\n  stages:\n    - {duration: 5m, rate: .inf}\n",
            5,
            "traffic.stages[0].rate",
            "requests/s, a number from 0",
            id="infinite-rate",
        ),
        pytest.param(
            HEAD + "traffic:\n  stages:\n    - {duration: 5 minutes, rate: 1}\n",
            5,
            "traffic.stages[0].duration",
            "a duration such as 90s",
            id="english-duration",
        ),
        pytest.param(
            HEAD + "traffic:\n  stages:\n    - {duration: -5m, rate: 1}\n",
            5,
            "traffic.stages[0].duration",
            "a duration such as 90s",
            id="negative-duration",
        ),
        pytest.param(
            HEAD + "traffic:\n  stages:\n    - {rate: 1}\n",
            5,
            "traffic.stages[0]",
            "duration is missing",
            id="missing-key",
        ),
        pytest.param(
            HEAD + "traffic:\n  stages:\n    - {duration: 0s, rate: 1}\n",
            5,
            "traffic.stages[0].duration",
            "longer than 0s",
            id="zero-duration",
        ),
        pytest.param(
            HEAD + "traffic:\n  stages:\n    - {duration: 1h, rate: 9999999}\n",
            4,
            "traffic.stages",
            "requests would be simulated",
            id="too-much-work",
        ),
        pytest.param(
            HEAD + "stable:\n  statuses: {500: 120%}\n",
            4,
            "stable.statuses.500",
            "a share such as",
            id="share-above-one",
        ),
        pytest.param(
            HEAD + "stable:\n  statuses: {oops: 1%}\n",
            4,
            "stable.statuses.oops",
            "an HTTP status",
            id="word-for-status",
        ),
        pytest.param(
            HEAD + "stable:\n  statuses: {500: 60%, 404: 60%}\n",
            4,
            "stable.statuses",
            "not sum to more than 100%",
            id="statuses-above-one",
        ),
        pytest.param(
            HEAD + "stable:\n  concurrency: 0\n",
            4,
            "stable.concurrency",
            "a whole number from 1 to 10000",
            id="zero-concurrency",
        ),
        pytest.param(
            HEAD + "stable:\n  concurrency: 2.5\n",
            4,
            "stable.concurrency",
            "a whole number from 1 to 10000",
            id="half-concurrency",
        ),
        pytest.param(
            HEAD + "stable:\n  latency: {median: 40ms, shape: normal}\n",
            4,
            "stable.latency.shape",
            "one of constant, exponential, lognormal",
            id="unknown-shape",
        ),
        pytest.param(
            HEAD + "stable:\n  start_up: true\n", 4, "stable.start_up", "a duration such as", id="flag-for-time"
        ),
        pytest.param(
            HEAD + "releases:\n  - {name: a, good: true, share: 50%}\n", 3, "releases", "must sum to 100%", id="mix-sum"
        ),
        pytest.param(
            HEAD + "releases:\n  - {name: a, good: maybe, share: 100%}\n",
            4,
            "releases[0].good",
            "true or false",
            id="good-maybe",
        ),
        pytest.param(
            HEAD + "release: worse\nreleases:\n  - {name: a, good: true, share: 100%}\n",
            3,
            "release",
            "no release is named 'worse'",
            id="unknown-release",
        ),
        pytest.param(HEAD + "releases: 3\n", 3, "releases", "must be a list", id="releases-no-list"),
        pytest.param(
            HEAD + "faults:\n  - {kind: meteor}\n", 4, "faults[0].kind", "one of errors, slowdown", id="unknown-fault"
        ),
        pytest.param(
            HEAD + "faults:\n  - {kind: errors}\n", 4, "faults[0]", "ratio is missing", id="fault-without-ratio"
        ),
        pytest.param(
            HEAD + "faults:\n  - {kind: errors, ratio: 5%, when: {at: 5m}}\n",
            4,
            "faults[0].when.at",
            "unknown field",
            id="fault-unknown-trigger",
        ),
        pytest.param(
            HEAD + "strategy: {kind: argo-rollout, rollout: api}\n",
            3,
            "strategy.rollout",
            "no Rollout 'api' in the manifests",
            id="missing-rollout",
        ),
        pytest.param(
            HEAD + "strategy: {kind: rolling-update, deployment: wep}\n",
            3,
            "strategy.deployment",
            "no Deployment 'wep'",
            id="missing-deployment",
        ),
        pytest.param(
            HEAD + "without: [Deployment/wep]\n", 3, "without[0]", "no object 'Deployment/wep'", id="without-nothing"
        ),
        pytest.param(
            HEAD + "delivery:\n  application: nope\n",
            4,
            "delivery.application",
            "no Application 'nope'",
            id="no-application",
        ),
        pytest.param(HEAD + "strategy: canary\n", 3, "strategy", "must be {kind:", id="strategy-word"),
        pytest.param(
            HEAD + "targets:\n  - {kpi: mttr, period: now, value: 1}\n", 4, "targets[0].kpi", "one of", id="unknown-kpi"
        ),
        pytest.param(HEAD + "horizon: 0s\n", 3, "horizon", "longer than 0s", id="no-horizon"),
        pytest.param(
            HEAD + "telemetry:\n  prometheus: {buckets: [1s, 500ms]}\n",
            4,
            "telemetry.prometheus.buckets",
            "must ascend",
            id="buckets-out-of-order",
        ),
        pytest.param("schema: rolltwin/v1\n", 1, "manifests", "no Rollout and no Deployment", id="no-manifests"),
        pytest.param(
            "schema: rolltwin/v1\nmanifests: [gone.yaml]\n", 2, "manifests[0]", "no such file", id="missing-manifest"
        ),
        pytest.param(
            HEAD + "telemetry:\n  prometheus:\n    labels:\n      - {name: pod, sources: [nowhere]}\n",
            6,
            "telemetry.prometheus.labels[0].sources[0]",
            "one of pod-name",
            id="label-from-nowhere",
        ),
        pytest.param(
            HEAD + "telemetry:\n  datadog:\n    tags:\n      - {name: pod, sources: ['pod-label:']}\n",
            6,
            "telemetry.datadog.tags[0].sources[0]",
            "pod-label:KEY",
            id="label-source-without-key",
        ),
        pytest.param(
            HEAD + "telemetry: {prometheus: {scrape_interval: 1ms}}\n",
            3,
            "telemetry.prometheus.scrape_interval",
            "before the horizon",
            id="scrape-each-millisecond",
        ),
        pytest.param(
            HEAD + "telemetry: {sample_interval: 1ms}\n",
            3,
            "telemetry.sample_interval",
            "before the horizon",
            id="sample-each-millisecond",
        ),
        pytest.param(
            HEAD + "horizon: 1000w\n", 1, "telemetry.sample_interval", "before the horizon", id="horizon-of-decades"
        ),
        pytest.param(
            HEAD + "traffic:\n  stages: [{duration: 1h, rate: 5}]\n"
            "  bursts: [{start: 0s, duration: 1h, factor: 1e9}]\n",
            4,
            "traffic.stages",
            "requests would be simulated",
            id="burst-of-a-billion",
        ),
        pytest.param(HEAD + "stable: {concurrency: 1000000000}\n", 3, "stable.concurrency", "to 10000", id="huge-pod"),
        pytest.param(
            HEAD + "stable: {latency: {median: 1s, sigma: 1000}}\n", 3, "stable.latency.sigma", "0 to 10", id="sigma"
        ),
        pytest.param(HEAD + "cluster: {node_cpu: 0}\n", 3, "cluster.node_cpu", "above 0", id="node-without-cpu"),
        pytest.param(HEAD + "client: {retries: 1000}\n", 3, "client.retries", "from 0 to 100", id="many-retries"),
        pytest.param("extends: gone.yaml\n", 1, "", "no file gone.yaml", id="extends-missing"),
        pytest.param("extends: scenario.yaml\n", 1, "", "leads back to itself", id="extends-itself"),
    ],
)
def test_a_broken_scenario_is_refused_with_its_place(
    tmp_path: Path, text: str, line: int, path: str, message: str
) -> None:
    found = [(item.line, path_text(item.path), item.message) for item in findings_of(tmp_path, text)]
    assert any(at == line and where == path and message in said for at, where, said in found), found


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(HEAD + "horizon: soon\ndelivery: {application: nope}\n", [3, 4], id="single field and reference"),
        pytest.param(HEAD + "slo: 2\ntelemetry: {prometheus: {buckets: [2s, 1s]}}\n", [3, 4], id="field and order"),
        pytest.param(HEAD + "seed: 1\nseed: 2\nslo: 2\n", [4, 5], id="duplicate key"),
        pytest.param(HEAD + "trafic: {}\nhorizon: 0s\n", [3, 4], id="unknown key and zero"),
        pytest.param("schema: rolltwin/v1\nmanifests: [web.yaml, gone.yaml]\nhorizon: 0s\n", [2, 3], id="missing file"),
        pytest.param(
            HEAD
            + "releases:\n  - {name: a, good: maybe, share: 100%}\n  - {name: b, good: true, share: 50%}\nrelease: a\n",
            [4],
            id="a mix is not summed up without its invalid part",
        ),
        pytest.param(
            HEAD + "strategy: {kind: argo-rollout}\ndelivery: {application: nope}\n",
            [3, 4],
            id="no strategy to look up",
        ),
    ],
)
def test_one_error_does_not_hide_the_others(tmp_path: Path, text: str, lines: list[int]) -> None:
    assert [item.line for item in findings_of(tmp_path, text)] == lines


def test_every_override_is_looked_at(tmp_path: Path) -> None:
    found = findings_of(tmp_path, HEAD, "nonsense", "slo=2", "traffic.stages[7].rate=1")
    assert [item.file for item in found] == ["--set nonsense", "--set slo=2", "--set traffic.stages[7].rate=1"]


def test_every_error_is_reported_at_once(tmp_path: Path) -> None:
    text = HEAD + "horizon: soon\nslo: 2\nstable: {concurrency: 0}\nfaults: [{kind: errors}]\n"
    assert [item.line for item in findings_of(tmp_path, text)] == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        pytest.param("horizon", "must be key=value", id="no-equals"),
        pytest.param("traffic.stages[7].rate=3", "there is no traffic.stages[7]", id="no-such-item"),
        pytest.param("slo=[", "parsing a flow node", id="not-yaml"),
        pytest.param("slo=3", "a share such as", id="out-of-range"),
        pytest.param("a..b=1", "unknown field", id="odd-path"),
    ],
)
def test_a_broken_override_names_itself(tmp_path: Path, override: str, message: str) -> None:
    found = findings_of(tmp_path, HEAD + "traffic: {stages: [{duration: 1h, rate: 1}]}\n", override)
    assert any(message in item.message and item.file == f"--set {override}" for item in found), found


def test_a_close_word_is_suggested(tmp_path: Path) -> None:
    (finding,) = findings_of(tmp_path, HEAD + "telemetri: {}\n")
    assert finding.suggestion == "did you mean 'telemetry'?"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_bytes(b"schema: \xff\xfe\n")
    with pytest.raises(BadInput, match="not UTF-8"):
        load(file)


ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
  strategy: {canary: {steps: [{setWeight: 50}, {analysis: {templates: [{templateName: smoke}]}}]}}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: smoke}
spec:
  metrics:
    - name: health
      successCondition: result.ok
      provider: {web: {url: http://web/healthz}}
"""


def test_a_provider_nobody_answers_for_is_refused_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "rollout.yaml").write_text(ROLLOUT, encoding="utf-8")
    file = tmp_path / "scenario.yaml"
    file.write_text("schema: rolltwin/v1\nmanifests: [rollout.yaml]\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load(file)
    (finding,) = caught.value.findings
    assert (finding.code, finding.line) == ("RT810", 18)
    assert "telemetry.signals: [{template: smoke, metric: health, answer: ...}]" in finding.suggestion
    assert load(file, ["telemetry.signals=[{template: smoke, metric: health, answer: {ok: true}}]"]).scenario.mix


def test_a_plugin_step_is_refused_by_name_unless_it_is_not_released(tmp_path: Path) -> None:
    plain, analysis = ROLLOUT.split("---\n", maxsplit=1)[0], "{analysis: {templates: [{templateName: smoke}]}}"
    plugin = plain.replace(analysis, "{plugin: {name: acme/wait}}")
    other = plain.replace(analysis, "{pause: {}}").replace("{name: web}", "{name: other}", 1)
    file = tmp_path / "rollouts.yaml"
    file.write_text(f"{plugin}---\n{other}", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        from_manifests([file], ["strategy={kind: argo-rollout, rollout: web}"])
    (finding,) = caught.value.findings
    assert (finding.code, finding.line) == ("RT813", 9)
    assert "plugin 'acme/wait'" in finding.message
    assert from_manifests([file], ["strategy={kind: argo-rollout, rollout: other}"]).scenario.mix
