"""Locust's options on the command line are fields of the scenario."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rolltwin.cli.arguments import overrides_of
from rolltwin.cli.main import parser
from scenarios.document import load
from scenarios.findings import BadInput
from tests.document.test_broken import DEPLOYMENT, HEAD


@pytest.mark.parametrize("command", ["run", "score", "verify"])
def test_options_become_overrides(command: str) -> None:
    line = f"{command} x.yaml --locustfile 'my load.py' --users 50 --spawn-rate 2.5 --run-time 90 --host http://shop"
    assert overrides_of(parser().parse_args(shlex.split(line))) == [
        'traffic.locustfile="my load.py"',
        "traffic.users=50",
        "traffic.spawn_rate=2.5",
        'traffic.run_time="90s"',
        'traffic.host="http://shop"',
    ]


def test_without_options_nothing_changes() -> None:
    assert overrides_of(parser().parse_args(["run", "x.yaml"])) == []


def test_what_the_command_line_names_is_relative_to_where_it_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "web.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    (tmp_path / "deep" / "scenario.yaml").write_text(HEAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"no such file: load/none\.py"):
        load(Path("deep/scenario.yaml"), ["traffic.locustfile=load/none.py"])
