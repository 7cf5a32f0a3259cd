"""Scenario files and scenario fields that the guide shows are ones the program accepts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from scenarios import library
from scenarios.document import load
from scenarios.document.explain import explain
from scenarios.document.schema import DOCUMENT

DOCS = Path(__file__).parents[2] / "docs"
PARTS = {field.name for field in DOCUMENT.fields}
_YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"`([a-z_\[\]]+(?:\.[a-z_\[\]]+)*)`")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that the how-to recipes work in, with the scenario files they show."""
    corrected = Path(library.__file__).parent / "triptrip" / "corrected"
    for name in ("manifests", "manifests-strict"):
        shutil.copytree(corrected, tmp_path / name)
    shutil.copy(library.DEFAULT, tmp_path / "base.yaml")
    for block in _blocks():
        named = re.match(r"# ([\w-]+\.yaml)", block)
        if named:
            (tmp_path / named[1]).write_text(block, encoding="utf-8")
    return tmp_path


def _blocks() -> list[str]:
    return _YAML.findall((DOCS / "how-to.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name",
    [
        "canary.yaml",
        "strict.yaml",
        "game-day.yaml",
        "old-controller.yaml",
        "operated.yaml",
        "routed.yaml",
    ],
)
def test_named_scenario_loads(folder: Path, name: str) -> None:
    assert load(folder / name).scenario.manifests.rollouts


@pytest.mark.parametrize("key", ["releases", "targets"])
def test_part_of_a_scenario_loads(folder: Path, key: str) -> None:
    part = next(block for block in _blocks() if block.startswith(f"{key}:"))
    (folder / "with-part.yaml").write_text(f"extends: canary.yaml\n{part}", encoding="utf-8")
    assert load(folder / "with-part.yaml").hash != load(folder / "canary.yaml").hash


def test_places_to_change_assumptions_exist() -> None:
    rows = [line for line in (DOCS / "model.md").read_text(encoding="utf-8").splitlines() if line.count("|") == 5]
    places = {place.replace("[]", "") for row in rows for place in _PLACE.findall(row.split("|")[3])}
    known = {place for place in places if place.partition(".")[0] in PARTS}
    assert len(known) > 20
    assert all(explain(place) for place in known)
