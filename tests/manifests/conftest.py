from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios.manifests import Documents, load

Reader = Callable[[str], Documents]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Reads a text as if it were one manifest file."""

    def read_text(text: str) -> Documents:
        file = tmp_path / "m.yaml"
        file.write_text(text, encoding="utf-8", newline="")
        return load([file])

    return read_text
