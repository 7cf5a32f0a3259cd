from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.findings import Severity
from scenarios.manifests import load
from scenarios.manifests.source import read_text
from scenarios.manifests.yaml import parse, plain_scalar
from tests.manifests.conftest import Reader


@pytest.mark.parametrize(
    ("text", "value", "odd"),
    [
        pytest.param("yes", True, True, id="YAML 1.1 boolean"),
        pytest.param("off", False, True, id="off"),
        pytest.param("y", True, True, id="one letter"),
        pytest.param("true", True, False, id="plain boolean"),
        pytest.param("010", 8, True, id="octal"),
        pytest.param("0o10", 8, True, id="YAML 1.2 octal"),
        pytest.param("0x1F", 31, True, id="hexadecimal"),
        pytest.param("-0x1F", -31, True, id="negative hexadecimal"),
        pytest.param("1_000", 1000, True, id="underscore"),
        pytest.param("1e3", 1000, True, id="exponent"),
        pytest.param("0", 0, False, id="zero"),
        pytest.param("-7", -7, False, id="negative"),
        pytest.param("0.5", 0.5, False, id="zero point five"),
        pytest.param("1.50", 1.5, False, id="fraction"),
        pytest.param("12:30", "12:30", False, id="no sexagesimal"),
        pytest.param("09", 9, True, id="no octal after all"),
        pytest.param("v1.5.3", "v1.5.3", False, id="version"),
        pytest.param("1.5.3", "1.5.3", False, id="dotted"),
        pytest.param("25%", "25%", False, id="percentage"),
        pytest.param("5m", "5m", False, id="duration"),
        pytest.param("~", None, False, id="null"),
        pytest.param("", None, False, id="nothing"),
        pytest.param("1e999", "1e999", False, id="infinite"),
        pytest.param("-", "-", False, id="lone sign"),
    ],
)
def test_plain_scalars_mean_what_kubectl_takes_them_for(text: str, value: Any, odd: bool) -> None:
    found, oddity = plain_scalar(text)
    assert (found, type(found)) == (value, type(value))
    assert bool(oddity) is odd


@pytest.mark.parametrize(
    ("text", "code", "line", "part"),
    [
        pytest.param("a:\n\tb: 1\n", "RT001", 2, "'\\t'", id="tab"),
        pytest.param("a: [1\n", "RT001", 2, "expected ',' or ']'", id="open list"),
        pytest.param("a: 1\n b: 2\n", "RT001", 2, "mapping values are not allowed", id="indentation"),
        pytest.param("a: *b\n", "RT001", 1, "undefined alias", id="undefined alias"),
        pytest.param("a: &a [*a]\n", "RT001", 1, "anchor contains itself", id="recursive anchor"),
        pytest.param("a: \x00\n", "RT001", 1, "U+0000", id="control character"),
        pytest.param("? [a]\n: b\n", "RT001", 1, "a key must be text", id="list as key"),
        pytest.param("[" * 600, "RT001", 1, "nested too deeply", id="deep nesting"),
        pytest.param("a: 1\na: 2\n", "RT003", 2, 'key "a" already set in map', id="duplicate key"),
        pytest.param("name: {{ .Values.name }}\n", "RT002", 1, "template", id="Helm value"),
        pytest.param("{{- if .x }}\na: 1\n{{- end }}\n", "RT002", 1, "template", id="Helm condition"),
        pytest.param("a: 1\n...\nb: 2\n", "RT018", 3, "is dropped", id="text after the document's end"),
        pytest.param("a: 1\n...\nb: [\n", "RT018", 3, "is dropped", id="no YAML after the document's end"),
        pytest.param("  a: 1\nb: 2\n", "RT018", 2, "is dropped", id="indented less than the first line"),
        pytest.param("a: yes\n", "RT004", 1, "the boolean true", id="ambiguous boolean"),
        pytest.param("a: 1\nb: 010\n", "RT004", 2, "the number 8", id="octal"),
    ],
)
def test_what_is_wrong_with_yaml_is_found_at_its_line(read: Reader, text: str, code: str, line: int, part: str) -> None:
    found = [(f.line, f.message) for f in read(text).findings if f.code == code]
    assert [number for number, _ in found] == [line]
    assert part in found[0][1]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("a: 3\t# three\n", {"a": 3}, id="before a comment"),
        pytest.param("a:\t3\n", {"a": 3}, id="after a colon"),
        pytest.param("a: b\tc\n", {"a": "b\tc"}, id="inside a scalar"),
        pytest.param("a: b\n\n \tc\n", {"a": "b\nc"}, id="on a folded line"),
        pytest.param("a: [1,\t2]\n", {"a": [1, 2]}, id="in a list"),
        pytest.param("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}, id="an anchor defined twice"),
        pytest.param("a: |\n  b", {"a": "b\n"}, id="a last line without an end"),
    ],
)
def test_what_kubectl_reads_is_read(tmp_path: Path, text: str, data: dict[str, Any]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    (document,) = parse(read_text(file)[0], "x.yaml")
    assert (document.data, document.findings) == (data, ())


def test_a_broken_document_does_not_hide_the_others(read: Reader) -> None:
    text = "kind: A\napiVersion: v1\n---\nkind: Broken\nmetadata:\n  name: b\nx: 'y' == 'z'\n--- # c\nkind: C\napiVersion: v1\n"
    documents = read(text)
    assert [(d.kind, d.line) for d in documents.objects] == [("A", 1), ("C", 9)]
    assert [(u.kind, u.name, u.line) for u in documents.unreadable] == [("Broken", "b", 7)]


def test_a_marker_inside_a_block_scalar_ends_the_document(read: Reader) -> None:
    documents = read("kind: A\napiVersion: v1\ntext: |\n  one\n---\nkind: B\napiVersion: v1\n")
    assert [d.kind for d in documents.objects] == ["A", "B"]


def test_templates_inside_block_scalars_are_no_templates(read: Reader) -> None:
    documents = read(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  t: |\n    {{- if .x }}\n    a: {{ .y }}\n"
    )
    assert documents.findings == ()


def test_aliases_cannot_fill_the_memory(read: Reader) -> None:
    bomb = ["a0: &a0 [" + "x," * 9 + "x]"]
    bomb += [f"a{n}: &a{n} [" + f"*a{n - 1}," * 9 + f"*a{n - 1}]" for n in range(1, 9)]
    assert "more than" in read("\n".join(bomb)).findings[0].message


def test_merge_keys_fill_in_and_do_not_override() -> None:
    (parsed,) = parse("base: &b {x: 1, y: 1}\nmore: &m {<<: *b, z: 1}\nuse: {<<: [*m], y: 2}\n", "f")
    assert parsed.data["use"] == {"y": 2, "x": 1, "z": 1}


def test_json_may_be_indented_with_tabs(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(
        '{\n\t"apiVersion": "v1",\n\t"kind": "Service",\n\t"metadata": {"name": "s"},\n\t"spec": {"portz": []}\n}\n'
    )
    (finding,) = load([file]).findings
    assert (finding.line, finding.column, finding.suggestion) == (5, 11, "did you mean ports?")


@pytest.mark.parametrize(
    ("raw", "line", "part"),
    [
        pytest.param(b"a: 1\nb: \xe9\n", 2, "not UTF-8", id="Latin-1"),
        pytest.param("a: 1\n".encode("utf-16"), 1, "not UTF-8", id="UTF-16"),
        pytest.param(b"#" * (5 * 2**20), 0, "larger than", id="huge"),
    ],
)
def test_unreadable_files_are_findings(tmp_path: Path, raw: bytes, line: int, part: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_bytes(raw)
    (finding,) = load([file]).findings
    assert (finding.code, finding.severity, finding.line) == ("RT005", Severity.ERROR, line)
    assert part in finding.message


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    (finding,) = load([tmp_path / "nope.yaml"]).findings
    assert finding.code == "RT005"
    assert "no such file" in finding.message


def test_directories_are_read_in_sorted_order_and_only_manifests(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.yml", "a.yaml", "sub/c.json", "notes.txt"):
        (tmp_path / name).write_text(f'{{"apiVersion": "v1", "kind": "K", "metadata": {{"name": "{name[-6:-5]}"}}}}')
    assert [Path(d.file).name for d in load([tmp_path]).objects] == ["a.yaml", "b.yml", "c.json"]


def test_an_empty_directory_and_an_empty_file_are_warnings(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "e.yaml").write_text("# nothing\n---\n")
    assert [f.code for f in load([tmp_path / "d", tmp_path / "e.yaml"]).findings] == ["RT009", "RT009"]


def test_lists_are_flattened_and_keep_their_places(read: Reader) -> None:
    documents = read(
        "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: one\n"
    )
    (document,) = documents.objects
    assert (document.name, document.position(("metadata", "name"))) == ("one", (7, 7))


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_bytes(b"\xef\xbb\xbfapiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: A_B\r\n")
    (finding,) = load([file]).findings
    assert (finding.code, finding.line, finding.column) == ("RT015", 4, 3)


def test_values_files_are_information_and_half_objects_errors(read: Reader) -> None:
    assert [(f.code, f.severity) for f in read("replicas: 3\n").findings] == [("RT006", Severity.INFO)]
    assert [(f.code, f.severity) for f in read("kind: Pod\n").findings] == [("RT006", Severity.ERROR)]


def test_the_same_object_twice_is_a_warning(read: Reader) -> None:
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    (finding,) = read(f"{one}---\n{one}").findings
    assert (finding.code, finding.line) == ("RT008", 7)


@given(st.text(alphabet=st.sampled_from("ab:-{}[]#&*!|>'\"%@`\n,?~ \t01.<"), max_size=60))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    for parsed in parse(text, "f"):
        assert parsed.readable or parsed.findings
        assert all(finding.line >= 1 for finding in parsed.findings)
