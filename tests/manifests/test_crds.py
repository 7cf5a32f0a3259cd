from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenarios.findings import BadInput
from scenarios.manifests import load
from scenarios.manifests.make_fields import main
from scenarios.manifests.tables import builtin_tables

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            apiVersion: {type: string}
            kind: {type: string}
            metadata: {type: object}
            spec:
              type: object
              required: [size]
              oneOf: [{not: {anyOf: [{required: [a]}, {required: [b]}]}}, {required: [a]}, {required: [b]}]
              properties:
                size: {type: integer}
                color: {type: string, enum: [red, green]}
                ports: {type: array, items: {x-kubernetes-int-or-string: true}}
                labels: {type: object, additionalProperties: {type: string}}
                level: {type: integer, minimum: 1, maximum: 5}
                share: {type: number, exclusiveMaximum: true, maximum: 1}
                small: {type: integer, format: int32}
                code: {type: string, pattern: "^[A-Z]+$", maxLength: 3}
                word: {type: string, minLength: 2}
                at: {type: string, format: date-time}
                tags: {type: array, minItems: 1, maxItems: 2, items: {type: string}, x-kubernetes-list-type: set}
                open:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [port, protocol]
                  items:
                    type: object
                    required: [port, protocol]
                    properties: {port: {type: integer}, protocol: {type: string, default: TCP}, note: {type: string}}
                extra: {type: object, x-kubernetes-preserve-unknown-fields: true}
                note: {type: string, nullable: true}
                a: {type: string}
                b: {type: string}
    - {name: v0, served: false, schema: {openAPIV3Schema: {type: object}}}
"""
NO_DATE = "2026-13-02T03:04:05Z"
GADGET = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec:\n  "


@pytest.fixture
def crds(tmp_path: Path) -> Path:
    directory = tmp_path / "crds"
    directory.mkdir()
    (directory / "gadget.yaml").write_text(CRD)
    return directory


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        pytest.param("size: 1\n  ports: [80, http]\n  labels: {x: z}\n  extra: {any: [1]}\n  note: null\n  a: x", [], id="valid"),
        pytest.param("color: red", ["spec.size: Required value"], id="required"),
        pytest.param("size: 1\n  colour: red", ['unknown field "spec.colour"'], id="unknown"),
        pytest.param("size: 1\n  color: blue", ['spec.color: Unsupported value: "blue": supported values: "red", "green"'], id="enum"),
        pytest.param("size: 1\n  a: x\n  b: z", ["spec: Invalid value: only one of a, b may be set"], id="one of"),
        pytest.param("size: 1\n  level: 5\n  share: 0.5\n  code: AB\n  word: go\n  at: '2026-01-02T03:04:05Z'\n  tags: [a, b]", [],
                     id="within limits"),
        pytest.param("size: 1\n  level: 6",
                     ["spec.level: Invalid value: 6: spec.level in body should be less than or equal to 5"], id="maximum"),
        pytest.param("size: 1\n  level: 0",
                     ["spec.level: Invalid value: 0: spec.level in body should be greater than or equal to 1"], id="minimum"),
        pytest.param("size: 1\n  share: 1", ["spec.share: Invalid value: 1: spec.share in body should be less than 1"],
                     id="exclusive maximum"),
        pytest.param("size: 1\n  small: 2147483648",
                     ["json: cannot unmarshal number 2147483648 into Go struct field spec.small of type int32"], id="int32"),
        pytest.param("size: 1\n  code: ab",
                     ["spec.code: Invalid value: \"ab\": spec.code in body should match '^[A-Z]+$'"], id="pattern"),
        pytest.param("size: 1\n  code: ABCD", ["spec.code: Too long: may not be more than 3 bytes"], id="too long"),
        pytest.param("size: 1\n  word: x",
                     ['spec.word: Invalid value: "x": spec.word in body should be at least 2 chars long'], id="too short"),
        pytest.param("size: 1\n  at: '2026-13-02T03:04:05Z'",
                     [f'spec.at: Invalid value: "{NO_DATE}": spec.at in body must be of type date-time: "{NO_DATE}"'],
                     id="no date"),
        pytest.param("size: 1\n  tags: []", ["spec.tags: Invalid value: 0: spec.tags in body should have at least 1 items"],
                     id="too few"),
        pytest.param("size: 1\n  tags: [a, b, c]", ["spec.tags: Too many: 3: must have at most 2 items"], id="too many"),
        pytest.param("size: 1\n  tags: [a, a]", ['spec.tags[1]: Duplicate value: "a"'], id="set"),
        pytest.param("size: 1\n  open: [{port: 1}, {port: 2}, {port: 1, protocol: UDP}, {port: 1, protocol: TCP, note: x}]",
                     ['spec.open[3]: Duplicate value: {"port":1,"protocol":"TCP"}'], id="map with a default"),
        pytest.param("size: 1\n  ports: [1.5]",
                     ['spec.ports[0]: Invalid value: "number": spec.ports[0] in body must be of type integer,string: "number"'],
                     id="int or string"),
    ],
)  # fmt: skip
def test_a_users_own_crds_decide(tmp_path: Path, crds: Path, body: str, messages: list[str]) -> None:
    file = tmp_path / "g.yaml"
    file.write_text(GADGET + body + "\n")
    assert [finding.message for finding in load([file], crds=crds).findings] == messages


def test_a_list_from_kubectl_get_is_read(tmp_path: Path, crds: Path) -> None:
    indented = "".join(f"    {line}\n" for line in CRD.strip().splitlines())
    (crds / "gadget.yaml").write_text("apiVersion: v1\nkind: List\nitems:\n  -\n" + indented)
    file = tmp_path / "g.yaml"
    file.write_text(GADGET + "siz: 1\n")
    assert {finding.code for finding in load([file], crds=crds).findings} == {"RT010", "RT013"}


def test_versions_that_are_not_served_are_unknown(tmp_path: Path, crds: Path) -> None:
    file = tmp_path / "g.yaml"
    file.write_text(GADGET.replace("/v1", "/v0") + "size: 1\n")
    (finding,) = load([file], crds=crds).findings
    assert finding.message == 'no matches for kind "Gadget" in version "example.com/v0"'


def test_what_is_no_crd_is_a_warning_and_the_built_in_tables_stay(tmp_path: Path, crds: Path) -> None:
    (crds / "x.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n")
    file = tmp_path / "c.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nmystery: 1\n")
    assert [finding.code for finding in load([file], crds=crds).findings] == ["RT010", "RT017"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param(None, "cannot read", id="no directory"),
        pytest.param({}, "no CustomResourceDefinition", id="empty"),
        pytest.param(
            {"x.yaml": "apiVersion: v1\nkind: ConfigMap\n"}, "no CustomResourceDefinition", id="other objects"
        ),
        pytest.param({"x.yaml": "a: [\n"}, "no CustomResourceDefinition", id="no YAML"),
    ],
)
def test_a_directory_without_crds_is_refused(tmp_path: Path, files: dict[str, str] | None, message: str) -> None:
    directory = tmp_path / "crds"
    for name, text in (files or {}).items():
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text)
    if files == {}:
        directory.mkdir()
    with pytest.raises(BadInput) as caught:
        load([], crds=directory)
    assert [message in found.message for found in caught.value.findings if found.code == "RT005"] == [True]


def test_make_fields_writes_one_file_for_each_kind(tmp_path: Path, crds: Path) -> None:
    assert main(crds, tmp_path / "out") == 1
    table = json.loads((tmp_path / "out" / "Gadget.json").read_text())
    assert (table["group"], table["kind"], list(table["versions"])) == ("example.com", "Gadget", ["v1"])


@pytest.mark.parametrize("versions", ["head", "playbook"])
@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("argoproj.io/v1alpha1", "Rollout"),
        ("argoproj.io/v1alpha1", "AnalysisTemplate"),
        ("argoproj.io/v1alpha1", "Application"),
        ("argoproj.io/v1alpha1", "ApplicationSet"),
        ("argoproj.io/v1alpha1", "AppProject"),
        ("networking.istio.io/v1beta1", "VirtualService"),
        ("networking.istio.io/v1beta1", "DestinationRule"),
        ("apps/v1", "Deployment"),
        ("v1", "Service"),
    ],
)
def test_the_kinds_the_model_reads_have_tables(versions: str, api_version: str, kind: str) -> None:
    root = builtin_tables(versions).root(api_version, kind)
    assert root is not None
    assert root.closed
    assert "spec" in root.fields


def test_newer_fields_are_unknown_to_the_playbooks_versions(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec:\n  strategy:\n    canary:\n"
        "      replicaProgressThreshold: {type: Percent, value: 90}\n"
    )
    assert load([file]).findings == ()
    assert [finding.line for finding in load([file], versions="playbook").findings] == [7]
