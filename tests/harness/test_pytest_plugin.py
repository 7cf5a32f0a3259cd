"""The plugin in a project of a user's, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.programs import PATIENCE_S, ROOT

TESTS = """
import pytest

@pytest.mark.cluster
def test_on_a_cluster(rolltwin_cluster):
    raise AssertionError

def test_without():
    pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_theirs.py").write_text(TESTS, encoding="utf-8")
    return tmp_path


def run(folder: Path, *args: str, **variables: str) -> str:
    """What pytest says; without our entry point (a checkout that was not installed again) -p stands in for it."""
    installed = [found.value for found in entry_points(group="pytest11", name="rolltwin")]
    plugin = ["-p", "rolltwin.pytest_plugin"] if not installed else []
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", *args, *plugin]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ROLLTWIN_", "KIND_", "PYTEST_"))}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    return done.stdout + done.stderr


def test_without_a_cluster_a_test_is_skipped_and_says_how_to_run_it(folder: Path) -> None:
    said = run(folder)
    assert "1 passed, 1 skipped" in said
    assert "run pytest with --kind" in said


def test_keep_cluster_belongs_to_both_plugins_whoever_comes_first(folder: Path) -> None:
    said = run(folder, "-p", "pytest_kind.plugin", "-p", "no:pytest-kind-ng", "--keep-cluster")
    assert "1 passed, 1 skipped" in said
    assert "1 passed, 1 skipped" in run(folder, "-p", "no:pytest-kind-ng", "--keep-cluster")


def test_a_cluster_that_cannot_be_had_is_said_if_it_is_optional(folder: Path) -> None:
    nowhere = {"ROLLTWIN_KIND": "/nowhere/kind", "ROLLTWIN_DOCKER": "/nowhere/docker"}
    said = run(folder, "--kind", "--cluster-optional", **nowhere)
    assert "1 passed, 1 skipped" in said
    assert "there is no cluster to be had: /nowhere/docker is missing" in said
    assert "ROLLTWIN_KIND names no program that can be run" in said


def test_workers_share_one_cluster_and_its_absence(folder: Path) -> None:
    nowhere = {"ROLLTWIN_KIND": "/nowhere/kind", "ROLLTWIN_DOCKER": "/nowhere/docker"}
    assert "ERROR: /nowhere/docker is missing" in run(folder, "-n", "1", "--kind", **nowhere)
    said = run(folder, "-n", "1", "--kind", "--cluster-optional", **nowhere)
    assert "1 passed, 1 skipped" in said
    assert "there is no cluster to be had: /nowhere/docker is missing" in said


def test_it_loads_nothing_that_its_user_does_not_use() -> None:
    code = "import sys, rolltwin.pytest_plugin; print([m for m in ('harness', 'sim', 'numpy', 'lightkube') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
