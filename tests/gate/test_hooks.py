"""What users copy: workflows and the pre-commit hook hold commands that the program understands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from rolltwin.cli.main import parser

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "docs" / "ci" / "github.yaml", ROOT / "docs" / "ci" / "gitlab.yaml")


def read(file: Path) -> Any:
    return YAML(typ="safe").load(file)


def scripts(data: Any) -> list[str]:
    """Every text in a document."""
    if isinstance(data, dict):
        return [text for value in data.values() for text in scripts(value)]
    if isinstance(data, list):
        return [text for value in data for text in scripts(value)]
    return [str(data)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_workflow_runs_commands_that_exist(file: Path) -> None:
    commands = [text for text in scripts(read(file)) if re.match(r"rolltwin (check|gate) ", text)]
    assert {command.split()[1] for command in commands} == {"check", "gate"}
    for command in commands:
        parser().parse_args(shlex.split(command)[1:])


def test_github_workflow_writes_what_it_uploads() -> None:
    steps = read(FILES[0])["jobs"]["gate"]["steps"]
    (gate,) = [step["run"] for step in steps if "rolltwin gate" in step.get("run", "")]
    uploaded = next(step["with"]["sarif_file"] for step in steps if "upload-sarif" in step.get("uses", ""))
    assert f"--sarif {uploaded}" in gate
    assert "--format github" in gate


def test_hooks_run_commands_that_exist() -> None:
    hooks = read(ROOT / ".pre-commit-hooks.yaml")
    assert [hook["id"] for hook in hooks] == ["rolltwin-check", "rolltwin-gate"]
    for hook in hooks:
        program, *arguments = shlex.split(hook["entry"])
        assert program == "rolltwin"
        parser().parse_args([*arguments, *hook["args"]])
        assert hook["args"], "a gate without a policy decides the packaged one"
        assert {"id", "name", "entry", "language", "types", "pass_filenames"} <= hook.keys()
