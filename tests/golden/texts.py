"""Every golden file and how its text is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from tests.golden import library, reconciles

HERE = Path(__file__).parent
ALL: Mapping[Path, Callable[[], str]] = MappingProxyType(
    {HERE / "reconciles" / f"{case}.txt": partial(reconciles.text, case) for case in reconciles.CASES}
    | {HERE / "library" / f"{case}.txt": partial(library.text, case) for case in library.CASES}
)
