"""The packaged scenarios as ``rolltwin run`` tells them, under light traffic so that all of them take seconds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import reports
from scenarios import document, library
from sim import study
from sim.model.load import LoadShape, Stage

ROOT: Final = Path(library.__file__).parent / "triptrip" / "scenarios"
_HASH: Final = re.compile(r"revision [0-9a-f]{10}")
LIGHT: Final = LoadShape((Stage(3600.0, 10.0),))
CASES: Final = tuple(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "-") for path in sorted(ROOT.glob("*/*.yaml"))
)


def text(case: str) -> str:
    """What the command prints for the scenario's own release and seed, but for the hashes of revisions."""
    variant = next(one.name for one in ROOT.iterdir() if one.is_dir() and case.startswith(f"{one.name}-"))
    file = ROOT / variant / f"{case.removeprefix(f'{variant}-')}.yaml"
    scenario = document.load(file).scenario
    told = reports.run_text(study.run_once(replace(scenario, load=LIGHT), scenario.seed))
    return _HASH.sub("revision ...", told) + "\n"
