"""The rolltwin fixture and the rollout marker in a project of a user's, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gate.dice import CANARY, written
from tests.harness.test_pytest_plugin import run

TESTS = f"""
import pytest

SHOP = {str(CANARY)!r}
pytestmark = pytest.mark.rollout(SHOP, rps=40, set=["tail=5s"])


def test_kept(rolltwin):
    rolltwin.release("errors-30").is_aborted_within("3m", in_at_least=0.7)


def test_broken(rolltwin):
    rolltwin.release(errors=0.3).on(SHOP).is_aborted_within("20s", in_at_least=0.7)


@pytest.mark.rollout(max_replications=20)
def test_open(rolltwin):
    rolltwin.release("errors-5").has("failed_requests", "<= 60", in_at_least=0.7, margin=0.25)


def test_unusable(rolltwin):
    rolltwin.release("errors-4").at_rps(-1).is_missed(in_at_most=0.2)


@pytest.mark.rollout(max_replications=19)
def test_file(rolltwin):
    rolltwin.policy("policy.yaml")


@pytest.mark.rollout(speed=3)
def test_unknown(rolltwin):
    pass
"""


@pytest.mark.slow
def test_a_users_tests_pass_fail_and_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(TESTS, encoding="utf-8")
    written(tmp_path, "errors-30 is aborted in at least 90 %")
    said = run(tmp_path, "--strict-markers", "-rA", "-p", "no:randomly", "--junit-xml=junit.xml")
    assert "passed: kept in all of" in said
    assert "FAILED: errors-30pct at 40 rps is aborted within 20s in at least 70 %" in said
    assert "first, seed " in said
    assert "replay: rolltwin run " in said
    assert "gate error-rate measured" in said
    assert "test_theirs.py:22:1: error RT800 claims[0].traffic: must be requests/s" in said
    assert (
        "policy.yaml:5:5: error RT800 'errors-30 is aborted in at least 90 %' cannot pass within 19 replications"
        in said
    )
    assert "@pytest.mark.rollout knows no speed" in said
    assert "rolltwin/asking.py" not in said
    assert "passed: errors-30 at 40 rps" in (tmp_path / "junit.xml").read_text(encoding="utf-8")


def test_importing_the_plugin_loads_nothing_of_the_twin() -> None:
    code = "import sys, rolltwin.pytest_plugin; print([m for m in ('reports', 'scenarios', 'sim', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
