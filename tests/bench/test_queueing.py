"""The queueing network that both the exact plane and Ciw are timed on."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from bench.cases import queueing
from bench.cases.options import Options

OPTIONS = Options(minutes=0.1, rps=500.0)


def test_ciw_agrees_on_mean_latencies() -> None:
    pytest.importorskip("ciw")
    report = queueing.measure(OPTIONS)
    assert report["measured"]["same_answers"]
    assert report["ratio_vs_ciw"]["exact"] > 1
    assert "standard errors apart" in queueing.table(report)


def test_without_ciw_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(queueing, "version", missing)
    report = queueing.measure(OPTIONS)
    assert report["ratio_vs_ciw"] is None
    assert queueing.table(report) == "not measured: ciw is not installed (nox -s bench installs it)"
