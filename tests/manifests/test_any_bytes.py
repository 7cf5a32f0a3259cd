"""Whatever a file holds, reading it ends in documents and findings, or in BadInput: never in another exception."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios import manifests
from scenarios.document.load import from_manifests, load
from scenarios.findings import BadInput
from scenarios.rules import check

PIECES = (
    "schema: rolltwin/v1\n", "manifests: [x.yaml]\n", "extends: x.yaml\n", "traffic: {stages: [{duration: 1h, rate: 5}]}\n",
    "kind: Rollout\n", "kind: List\n", "kind: AnalysisRun\n", "apiVersion: argoproj.io/v1alpha1\n", "apiVersion: v1\n",
    "metadata: {name: a}\n", "metadata:\n", "spec:\n", "  ", "- ", "items: [", "{", "}", "]", ": ", "? ", "&a ", "*a",
    "<<: *a\n", "!!str ", "|\n", ">-\n", "---\n", "...\n", "%YAML 1.1\n", "# c\n", "\t", "\r\n", "\u2028", "{{ .Values.x }}",
    "'", '"', "\\u0000", "\\ud800", "yes", "0x", "1e999", ".nan", "~", "\x00", "\ufeff", "horizon: -1h\n",
    "strategy: {canary: {steps: [{setWeight: 10}]}}\n",
)  # fmt: skip

CONTENT = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=14).map(lambda parts: "".join(parts).encode("utf-8")),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENT, name=st.sampled_from(["x.yaml", "x.json", "Chart.yaml", "kustomization.yaml"]))
def test_any_manifest(tmp_path: Path, content: bytes, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    findings = check(manifests.load([file]))
    assert all(finding.code.startswith("RT") and finding.message for finding in findings)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENT, head=st.booleans())
def test_any_scenario(tmp_path: Path, content: bytes, head: bool) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes((b"schema: rolltwin/v1\n" if head else b"") + content)
    for read in (load, lambda path: from_manifests([path])):
        with suppress(BadInput):
            assert read(file).hash


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{','.join(['*' + chr(97 + level)] * 9)}]\n" for level in range(8)
)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param(LAUGHS, "more than 250000 nodes", id="a billion laughs"),
        pytest.param("a: &a {<<: *a}\n", "", id="a merge of itself"),
        pytest.param("[" * 5000, "nested too deeply", id="deep"),
        pytest.param("? " * 300 + "a\n", "", id="keys of keys"),
    ],
)
def test_hostile_yaml_is_refused(tmp_path: Path, text: str, part: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    found = [(finding.code, finding.message) for finding in manifests.load([file]).findings]
    assert [code for code, message in found if part in message] in (["RT001"], ["RT002"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("kustomization.yaml", "kubectl kustomize", id="kustomize"),
        pytest.param("Chart.yaml", "helm template", id="helm"),
    ],
)
def test_sources_of_renderers_are_named(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_text("apiVersion: v2\nname: x\n", encoding="utf-8")
    (finding,) = manifests.load([tmp_path]).findings
    assert (finding.code, words in finding.suggestion) == ("RT021", True)


def test_a_kind_without_a_table_is_mentioned_once(tmp_path: Path) -> None:
    text = "".join(f"apiVersion: x.io/v1\nkind: Gizmo\nmetadata: {{name: g{number}}}\n---\n" for number in range(3))
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    assert [finding.line for finding in manifests.load([tmp_path]).findings] == [1]


def test_other_json_is_only_mentioned(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('{"definitions": {"Rollout": {}}}', encoding="utf-8")
    assert [(finding.code, finding.severity) for finding in manifests.load([tmp_path]).findings] == [("RT006", "info")]
