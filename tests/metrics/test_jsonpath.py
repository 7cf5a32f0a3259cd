"""Kubernetes' JSONPath; every expectation is what client-go's own package answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics import gotext, jsonpath
from sim.metrics.jsonpath import PathError

DOCUMENT = json.loads(
    '{"a": [{"b": 1, "c": "x", "k": true}, {"b": 2.5, "c": "y"}, {"c": "x"}], "d": {"e": {"a": 5}}, "f.g": 7, "n": null}',
    parse_int=float,
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("{$}", gotext.document(DOCUMENT), id="the document"),
        pytest.param("{.a[0].b}", "1", id="fields and an index"),
        pytest.param("{$.a[-1].c}", '"x"', id="from the end"),
        pytest.param("{.a[0:2].c}", '"x"', id="a slice: its first"),
        pytest.param("{.a[1,0].c}", '"y"', id="a union, in its order"),
        pytest.param("{.a[*].b}", "1", id="every element"),
        pytest.param("{..e.a}", "5", id="descent"),
        pytest.param("{.f\\.g}", "7", id="an escaped point"),
        pytest.param('{.a[?(@.c=="y")].b}', "2.5", id="a filter by text"),
        pytest.param("{.a[?(@.k)].c}", '"x"', id="a filter by existence"),
        pytest.param("{range .a[*]}{.c}{end}", '"x"', id="a range"),
        pytest.param("$.a", '"$.a"', id="no braces: the text itself"),
        pytest.param("all: {.a}", '"all: "', id="text first"),
    ],
)
def test_the_first_match(path: str, expected: str) -> None:
    assert gotext.document(jsonpath.first_match(DOCUMENT, path)) == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("{.z}", "z is not found", id="no such field"),
        pytest.param("{.a[9]}", "array index out of bounds: index 9, length 3", id="no such index"),
        pytest.param("{['a','d'][0].c}", "map[string]interface {} is not array or slice", id="a union of keys"),
        pytest.param("{.d[0]}", "map[string]interface {} is not array or slice", id="no list"),
        pytest.param("{.a[?(@.b==1)].c}", "incompatible types for comparison", id="a whole number is no float"),
        pytest.param("{.a[?(@.b)]", "unclosed action", id="no closing brace"),
        pytest.param("{.a[x]}", "invalid array index x", id="no index"),
        pytest.param("{.a[0}", "unterminated array", id="no closing bracket"),
        pytest.param("{.a[?(@.b>1.5)].c}", "b is not found", id="an element without the field"),
        pytest.param("{foo}", "unrecognized identifier foo", id="a word"),
        pytest.param("{.a[0:0]}", "result of web metric produced no value", id="nothing"),
        pytest.param("{end}", "not in range, nothing to end", id="end without range"),
    ],
)
def test_what_is_not_found(path: str, message: str) -> None:
    with pytest.raises(PathError) as caught:
        jsonpath.first_match(DOCUMENT, path)
    assert str(caught.value) == message


PIECES = st.sampled_from(
    [
        "{",
        "}",
        "$",
        ".a",
        ".b",
        "[0]",
        "[*]",
        "..",
        "..a",
        "[?(",
        ")]",
        "@.b",
        "==1.0",
        '"x"',
        "[1:2]",
        ".*",
        "range ",
        "end",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=20), st.lists(PIECES, max_size=8).map("".join)))
def test_any_text_is_a_path_or_is_refused(path: str) -> None:
    refused = jsonpath.check(path)
    try:
        jsonpath.first_match(DOCUMENT, path)
    except PathError:
        return
    assert refused is None
