"""What is committed is what runs: a clone or a wheel holds every module and every data file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

GIT = shutil.which("git") or "git"
ROOT = Path(__file__).parents[2]
PACKAGES = ("harness", "reports", "rolltwin", "scenarios", "sim")


def git(*arguments: str) -> str:
    done = subprocess.run([GIT, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return done.stdout


def test_no_file_of_a_package_is_hidden_by_an_ignore_rule() -> None:
    ignored = git("ls-files", "--others", "--ignored", "--exclude-standard", "--", *PACKAGES).splitlines()
    assert [name for name in ignored if "__pycache__" not in name] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_committed(package: str) -> None:
    assert f"{package}/__init__.py" in git("ls-files", "--", package).splitlines()
