"""The committed texts are those of today's program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.texts import ALL, HERE


@pytest.mark.parametrize("file", ALL, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_text_is_the_committed_one(file: Path) -> None:
    assert ALL[file]() == file.read_text(encoding="utf-8"), "look at the difference, then run: python -m tests.golden"


def test_no_text_is_left_over() -> None:
    assert set(HERE.glob("*/*.txt")) == set(ALL)
