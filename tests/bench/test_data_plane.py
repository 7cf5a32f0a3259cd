"""Models that are compared in time have to do the same."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from bench import __main__, plain, rollout
from bench.cases import Case, data_plane
from bench.lean import LeanPlane
from bench.naive import NaivePlane
from bench.rollout import Course, Kind, counts, run
from sim.traffic import DataPlane

COURSE = Course(minutes=2.0, rps=60.0, seed=2)
NEEDS_C = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@pytest.mark.parametrize("kind", [pytest.param(NaivePlane, id="naive"), pytest.param(LeanPlane, id="lean")])
def test_simpy_gives_the_same_answers_window_by_window(kind: Kind) -> None:
    assert counts(run(kind, COURSE).windows) == counts(run(DataPlane, COURSE).windows)


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course on which queues grow, so that clients give up."""
    monkeypatch.setattr(rollout, "RPS_PER_POD", 180.0)
    return Course(minutes=3.0, rps=1800.0, seed=3)


def test_crowds_meet_with_everything_the_models_know(crowded: Course) -> None:
    windows = run(DataPlane, crowded).windows
    statuses = {status for series in windows for status in series.codes if series.answers.any()}
    assert statuses >= {200, 500, 502}
    assert np.sum([series.clients.sum(axis=(0, 1)) for series in windows], axis=0).min() > 0


@NEEDS_C
@pytest.mark.parametrize("own", [pytest.param(True, id="own draws"), pytest.param(False, id="handed draws")])
def test_plain_c_gives_the_same_answers_window_by_window(crowded: Course, own: bool) -> None:
    program, compiler = plain.compiled()
    assert program is not None, compiler
    assert counts(program.run(COURSE, own=own).windows) == counts(run(DataPlane, COURSE).windows)
    assert counts(program.run(crowded, own=own).windows) == counts(run(DataPlane, crowded).windows)


def test_without_a_compiler_plain_c_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    program, reason = plain.compiled.__wrapped__()
    assert program is None
    assert reason == "not measured: no C compiler (cc) was found"


def test_a_difference_is_measured_in_its_standard_deviations() -> None:
    one, other = (run(DataPlane, Course(minutes=2.0, rps=rps, seed=2)) for rps in (200.0, 230.0))
    assert data_plane.distance(one, one) == 0.0
    assert data_plane.distance(one, other) > data_plane.CLOSE


def test_the_json_report_has_a_figure_for_each_plane(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["data-plane", "--minutes", "0.5", "--rps", "50", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ratio_vs_naive_simpy"].keys() == {"exact", "aggregate"}
    assert report["ns_per_request"].keys() == {"exact", "aggregate", "plain_c", "plain_c_given_draws"}
    assert report["measured"]["data-plane"]["same_answers"]


def test_models_that_disagree_fail_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(lambda _: {"measured": {"same_answers": False}}, lambda _: "")
    monkeypatch.setattr(__main__, "CASES", {"data-plane": case})
    assert __main__.main(["data-plane"]) == 1
