"""What Go's JSON decoder says of text that is no JSON, and its numbers; every expectation is what Go printed."""

from __future__ import annotations

import re

import pytest

from sim.metrics import gotext


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unexpected end of JSON input"),
        ('{"a"', "unexpected end of JSON input"),
        ('"x', "unexpected end of JSON input"),
        ("tru", "invalid character ' ' in literal true (expecting 'e')"),
        ("[nul]", "invalid character ']' in literal null (expecting 'l')"),
        ("-", "invalid character ' ' in numeric literal"),
        ("1.", "invalid character ' ' after decimal point in numeric literal"),
        ("1e+x", "invalid character 'x' in exponent of numeric literal"),
        ("01", "invalid character '1' after top-level value"),
        (".5", "invalid character '.' looking for beginning of value"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"a":1 x}', "invalid character 'x' after object key:value pair"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ("{'a':1}", r"invalid character '\'' looking for beginning of object key string"),
        ('"\\x"', "invalid character 'x' in string escape code"),
        ('"\\u00g0"', r"invalid character 'g' in \u hexadecimal character escape"),
        ('"\t"', r"invalid character '\t' in string literal"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
        ("[" * 3, "unexpected end of JSON input"),
    ],
)
def test_no_json(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        gotext.from_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1p4", 16.0),
        ("-0X_1.8p-1", -0.75),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_0.5e1_0", 10.5e10),
        ("+Inf", float("inf")),
    ],
)
def test_numbers_in_texts(text: str, value: float) -> None:
    assert gotext.parsed_float(text) == value


@pytest.mark.parametrize(
    "text", ["", " 1", "1_", "1_.5", "1._5", "0x1", "0xp1", "0x__1p1", "0x_.1p1", "0x" + "a" * 5000, "1e", "x"]
)
def test_no_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        gotext.parsed_float(text)


def test_out_of_range() -> None:
    with pytest.raises(ValueError, match="value out of range"):
        gotext.parsed_float("0x1p99999")
