"""Everything that is missing is said at once, with its remedy."""

from __future__ import annotations

import pytest

from harness import missing
from harness.missing import Missing, MissingError


def test_all_that_is_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for variable in ("ROLLTWIN_KIND", "ROLLTWIN_DOCKER"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(MissingError) as caught:
        missing.need(missing.docker(), missing.kind(), None)
    assert [thing.what for thing in caught.value.things] == ["docker", "kind"]
    assert "https://kind.sigs.k8s.io" in str(caught.value)


def test_a_variable_names_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLTWIN_KIND", "/nowhere/kind")
    found = missing.kind()
    assert isinstance(found, Missing)
    assert "ROLLTWIN_KIND names no program" in found.how


def test_a_package_that_is_absent() -> None:
    found = missing.package("no_such_package", "it is needed")
    assert found is not None
    assert "rolltwin[cluster]" in str(found)
    assert missing.package("json", "") is None


def test_nothing_missing_is_nothing_said() -> None:
    missing.need(None, "there")
