"""Analysis runs that cannot run, wherever they are started: the words are the controller's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scenarios import manifests
from scenarios.rules import check

HEAD = "apiVersion: argoproj.io/v1alpha1\n"
TEMPLATE = (
    HEAD
    + """kind: AnalysisTemplate
metadata: {name: t}
spec:
  args: [{name: a}, {name: key, valueFrom: {secretKeyRef: {name: login, key: token}}}]
  metrics: [{name: m, provider: {web: {url: "http://x/{{args.a}}", jsonPath: "{$.ok}"}}}]
"""
)
LOGIN = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {%s: abc}\n"


def run_of(spec: str) -> str:
    return HEAD + "kind: AnalysisRun\nmetadata: {name: r}\nspec:\n" + spec


def experiment(analysis: str) -> str:
    return (
        HEAD
        + f"""kind: Experiment
metadata: {{name: e}}
spec:
  templates:
  - name: one
    selector: {{matchLabels: {{app: x}}}}
    template: {{metadata: {{labels: {{app: x}}}}, spec: {{containers: [{{name: x, image: "x:1"}}]}}}}
  analyses: [{analysis}]
"""
    )


def rollout(analysis: str) -> str:
    return (
        HEAD
        + f"""kind: Rollout
metadata: {{name: r}}
spec:
  selector: {{matchLabels: {{app: x}}}}
  template: {{metadata: {{labels: {{app: x}}}}, spec: {{containers: [{{name: x, image: "x:1"}}]}}}}
  strategy:
    canary:
      steps:
      - setWeight: 20
      - experiment: {{templates: [{{name: one, specRef: canary}}], analyses: [{analysis}]}}
"""
    )


METRIC = "  metrics: [{name: m, count: 1, provider: {web: {url: 'http://x/{{args.a}}', jsonPath: '{$.ok}'}}}]\n"


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        pytest.param(run_of("  args: [{name: a, value: x}]\n" + METRIC), "", "", id="complete run"),
        pytest.param(
            run_of("  args: [{name: a}]\n" + METRIC), "RT114", 'argument "a" was not supplied', id="run without a value"
        ),
        pytest.param(run_of(METRIC), "RT114", "failed to resolve {{args.a}}", id="run without the argument"),
        pytest.param(
            run_of("  args: [{name: a, value: x}]\n  dryRun: [{metricName: other}]\n" + METRIC),
            "RT114",
            "dryRun[0]: Rule didn't match any metric name(s)",
            id="rule of a run",
        ),
        pytest.param(
            run_of("  metrics: [{name: m, count: 2, provider: {web: {url: 'http://x', jsonPath: '{$.a}'}}}]\n"),
            "RT111",
            "interval must be specified when count > 1",
            id="metric of a run",
        ),
        pytest.param(
            experiment("{name: x, templateName: t, args: [{name: a, value: x}]}") + "---\n" + TEMPLATE,
            "",
            "",
            id="experiment",
        ),
        pytest.param(
            experiment("{name: x, templateName: gone}"),
            "RT114",
            'analysistemplate.argoproj.io "gone" not found',
            id="gone",
        ),
        pytest.param(
            rollout("{name: x, templateName: gone}"),
            "RT114",
            "analysis 'x' of the experiment in step 2 of Rollout 'r' cannot run: analysistemplate.argoproj.io \"gone\" not found",
            id="gone from an experiment step",
        ),
        pytest.param(
            rollout("{name: x, templateName: t, args: [{name: a, value: x}]}") + "---\n" + TEMPLATE,
            "",
            "",
            id="experiment step",
        ),
        pytest.param(
            rollout("{name: x, templateName: t}") + "---\n" + TEMPLATE,
            "RT114",
            "args.a was not resolved",
            id="experiment step without a value",
        ),
        pytest.param(
            experiment("{name: x, templateName: t}") + "---\n" + TEMPLATE,
            "RT114",
            "args.a was not resolved",
            id="experiment without a value",
        ),
        pytest.param(
            experiment("{name: x, templateName: t, args: [{name: a, value: x}]}")
            + "---\n"
            + TEMPLATE
            + "---\n"
            + LOGIN % "key",
            "RT114",
            "key 'token' does not exist in secret 'login'",
            id="secret without the key",
        ),
    ],
)
def test_runs_of_their_own(tmp_path: Path, text: str, code: str, part: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    found = [(item.code, item.message) for item in check(manifests.load([file])) if item.severity == "error"]
    assert len(found) == bool(code), found
    assert all(item == code and part in message for item, message in found)


def test_the_last_of_two_objects_of_one_name_counts(tmp_path: Path) -> None:
    """A template in two files is one template, judged with the arguments its Rollout gives."""
    timed = """kind: AnalysisTemplate
metadata: {name: t}
spec:
  args: [{name: every}]
  metrics: [{name: m, interval: "{{args.every}}", provider: {web: {url: "http://x", jsonPath: "{$.ok}"}}}]
---
"""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(HEAD + timed, encoding="utf-8")
    codes = [finding.code for finding in check(manifests.load([tmp_path]))]
    assert codes == ["RT008"]


@pytest.mark.parametrize(
    ("provider", "part"),
    [
        pytest.param({"prometheus": {"address": "http://p:9090", "query": "x"}}, "", id="prometheus"),
        pytest.param(
            {"prometheus": {"address": "p", "query": "x"}}, "prometheus address is not is url format", id="no URL"
        ),
        pytest.param(
            {"prometheus": {"address": "http://p", "query": "x", "timeout": -1}},
            "should not be negative",
            id="time-out",
        ),
        pytest.param(
            {"prometheus": {"address": "http://p", "query": "x", "authentication": {"basicAuth": {"username": "u"}}}},
            "basic auth setup: password",
            id="no password",
        ),
        pytest.param({"datadog": {}}, "Must have either a query or queries", id="datadog without a query"),
        pytest.param({"datadog": {"queries": {"a": "avg:x{*}"}}}, "Query is empty. API Version v1", id="queries of v1"),
        pytest.param(
            {"datadog": {"query": "avg:x{*}", "aggregator": "max"}},
            "Aggregator is not supported in v1",
            id="aggregator",
        ),
        pytest.param(
            {"web": {"url": "http://x", "body": "{}"}}, "can only be used with POST or PUT", id="body of a GET"
        ),
        pytest.param({"web": {"url": "http://x", "jsonPath": "{$.a[}"}}, "unterminated array", id="path"),
        pytest.param({"web": {"url": "http://x", "jsonPath": "$.a"}}, "write {$.a}", id="path without braces"),
        pytest.param({"web": {"url": "http://x", "jsonPath": "{$.a[0].b}"}}, "", id="good path"),
        pytest.param({"web": {"url": "x/y"}}, "unsupported protocol scheme", id="no scheme"),
        pytest.param(
            {"graphite": {"address": "x", "query": "y"}}, "graphite address x is not a valid URL", id="graphite"
        ),
        pytest.param(
            {"cloudWatch": {"interval": "5", "metricDataQueries": []}}, "missing unit in duration", id="interval"
        ),
    ],
)
def test_providers(tmp_path: Path, provider: dict[str, Any], part: str) -> None:
    metric = {"name": "m", "count": 1, "provider": provider}
    document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": "r"},
        "spec": {"metrics": [metric]},
    }
    file = tmp_path / "x.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    found = [item.message for item in check(manifests.load([file])) if item.code == "RT126"]
    assert len(found) == bool(part)
    assert all(part in message for message in found)
