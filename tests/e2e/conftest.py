"""A small world: one Rollout of four pods, little traffic, half a minute of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rolltwin.cli.main import main

ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "shop:1"}]}
  strategy:
    canary:
      maxUnavailable: 0
      steps:
        - setWeight: 50
        - pause: {duration: 5s}
"""
SCENARIO = """\
schema: rolltwin/v1
name: shop
variant: small
manifests: [shop.yaml]
traffic: {stages: [{duration: 1h, rate: 5}]}
warm_up: 10s
tail: 10s
horizon: 20m
releases:
  - {name: good, good: true, share: 50%}
  - {name: bad, good: false, share: 50%, behaviour: {statuses: {500: 20%}}}
"""


@dataclass(frozen=True)
class Told:
    """What one command did: exit code and what it printed."""

    code: int
    out: str
    err: str


Command = Callable[..., Told]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, holding shop.yaml and scenario.yaml."""
    (tmp_path / "shop.yaml").write_text(ROLLOUT, encoding="utf-8")
    (tmp_path / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rolltwin(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:  # noqa: ARG001 - commands run there
    """One command in this process, in the small world."""

    def call(*arguments: str) -> Told:
        try:
            code = main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
        told = capsys.readouterr()
        return Told(code, told.out, told.err)

    return call
