"""Whose delays the twin has when it is compared with a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.profile import profile, profiled
from rolltwin.cli.main import main
from rolltwin.cli.worlds import Subject
from scenarios import library
from scenarios.compression import compression
from scenarios.document import load

PLAYBOOK = library.DEFAULT.parent / "triptrip" / "scenarios" / "repaired" / "rolling-update.yaml"


def subject(*overrides: str) -> Subject:
    loaded = load(PLAYBOOK, overrides)
    return Subject((PLAYBOOK,), overrides, loaded, compression(loaded, 10))


def test_a_scenario_that_says_nothing_of_its_cluster_gets_the_measured_delays() -> None:
    one = subject().on(None)
    assert one.twins == profiled(one.scenario, profile())


def test_a_scenario_that_does_keeps_its_own() -> None:
    one = subject("cluster.schedule=1s").on(None)
    assert one.twins == one.scenario


def test_a_profile_that_is_named_counts_anyway() -> None:
    one = subject("cluster.schedule=1s").on(profile())
    assert one.twins == profiled(one.scenario, profile())


def test_a_profile_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("schedule: 1s", encoding="utf-8")
    assert main(["verify", str(PLAYBOOK), "--profile", str(file), "--out", str(tmp_path / "out")]) == 2
    assert "a profile has exactly" in capsys.readouterr().err
