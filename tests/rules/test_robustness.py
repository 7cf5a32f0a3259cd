"""Whatever a document holds, rules find something or nothing; they never fail."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios import manifests
from scenarios.rules import check
from tests.rules.specimens import objects, scenario

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**30, "", "{{args.x}}", "{{x}}", "5", [], [1], [None], [[]], {}, {"a": 1}, [{"name": 1}],
    "*", "0 0 * * *", "7d", "[", "(", "sum(", "result", "é", {"templates": [None]},
)  # fmt: skip


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from _paths(value, (*path, key))


ALL_PLACES = [(index, path) for index, document in enumerate(objects()) for path in _paths(document)]


def _put(node: Any, path: tuple[Any, ...], value: Any) -> None:
    try:
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = copy.deepcopy(value)
    except (KeyError, IndexError, TypeError):
        return  # an earlier change took the place away


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(ALL_PLACES), st.sampled_from(ODD)), min_size=1, max_size=5), st.booleans())
def test_odd_values_anywhere_are_no_failure(tmp_path: Path, changes: list[Any], with_scenario: bool) -> None:
    documents = objects()
    for (index, path), value in changes:
        _put(documents[index], path, value)
    file = tmp_path / "odd.yaml"
    file.write_text("\n---\n".join(map(json.dumps, documents)), encoding="utf-8")

    findings = check(manifests.load([file]), scenario() if with_scenario else None)

    assert list(findings) == sorted(findings, key=lambda finding: (finding.file, finding.line, finding.column))


@pytest.mark.parametrize("text", ["", "null", "[]", "5", "kind: Rollout", "a: {{ b }}", "\t"])
def test_no_object_at_all(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")

    assert all(finding.code.startswith("RT") for finding in check(manifests.load([file]), scenario()))
