"""Names, labels and ports as Kubernetes checks them.

Source: ``k8s.io/apimachinery`` 0.34, ``pkg/util/validation/validation.go`` and ``pkg/apis/meta/v1/validation``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sim.decide.field_errors import Place, SpecError, invalid

_ENDS = "and must start and end with an alphanumeric character"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_NOT_A_LABEL = (
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ENDS} "
    f"(e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL.pattern}')"
)
_NOT_A_VALUE = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS} "
    f"(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({_QUALIFIED.pattern})?')"
)
_NOT_QUALIFIED = (
    f"name part must consist of alphanumeric characters, '-', '_' or '.', {_ENDS} "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED.pattern}')"
)
_PORT_NAME_RULES = (
    (re.compile(r".{16,}"), "must be no more than 15 characters"),
    (re.compile(r".*[^-a-z0-9].*"), "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
    (re.compile(r"[^a-z]*"), "must contain at least one letter (a-z)"),
    (re.compile(r".*--.*"), "must not contain consecutive hyphens"),
    (re.compile(r"-.*|.*-"), "must not begin or end with a hyphen"),
)


def dns_label(where: Place, name: str) -> Iterator[SpecError]:
    """What keeps a name from being an RFC 1123 label."""
    if len(name) > 63:
        yield invalid(where, name, "must be no more than 63 characters")
    if not _LABEL.fullmatch(name):
        yield invalid(where, name, _NOT_A_LABEL)


def labels(where: Place, written: dict[str, Any]) -> Iterator[SpecError]:
    """Keys and values that no label may have."""
    for key, value in sorted(written.items()):
        yield from label_name(where, key)
        if isinstance(value, str):
            yield from label_value(where, value)


def label_name(where: Place, key: str) -> Iterator[SpecError]:
    """What keeps a key from being a qualified name; of a prefix only that it is not empty."""
    prefix, slash, name = key.rpartition("/")
    if slash and not prefix:
        yield invalid(where, key, "prefix part must be non-empty")
    if not name:
        yield invalid(where, key, "name part must be non-empty")
    if len(name) > 63:
        yield invalid(where, key, "name part must be no more than 63 characters")
    if not _QUALIFIED.fullmatch(name):
        yield invalid(where, key, _NOT_QUALIFIED)


def label_value(where: Place, value: str) -> Iterator[SpecError]:
    """What keeps a text from being a label's value."""
    if len(value) > 63:
        yield invalid(where, value, "must be no more than 63 characters")
    if value and not _QUALIFIED.fullmatch(value):
        yield invalid(where, value, _NOT_A_VALUE)


def port_name(where: Place, name: str) -> Iterator[SpecError]:
    """What keeps a text from being the name of a port."""
    for broken, message in _PORT_NAME_RULES:
        if broken.fullmatch(name):
            yield invalid(where, name, message)


def port_number(where: Place, number: int) -> Iterator[SpecError]:
    """Numbers no port can have."""
    if not 1 <= number <= 65535:
        yield invalid(where, number, "must be between 1 and 65535, inclusive")
