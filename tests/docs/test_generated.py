from __future__ import annotations

import runpy
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from scenarios.document.schema import DOCUMENT
from sim.model import records
from sim.model.kpis import Kpi

DOCS = Path(__file__).parents[2] / "docs"
PAGES = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]


@pytest.mark.parametrize("name", ["scenario.md", "policy.md", "kpis.md", "journal.md"])
def test_page_is_up_to_date(name: str) -> None:
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "run: python docs/generate.py"


def test_every_generated_page_is_checked() -> None:
    assert set(PAGES) == {"scenario.md", "policy.md", "kpis.md", "journal.md"}


def test_scenario_page_has_every_part() -> None:
    page = PAGES["scenario.md"]()
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == [
        *(field.name for field in DOCUMENT.fields),
        "The default scenario",
    ]
    for field in DOCUMENT.fields:
        assert f"\n```text\n{field.name}:" in page


def test_kpi_page_has_every_indicator() -> None:
    page = PAGES["kpis.md"]()
    assert all(f"| `{kpi}` |" in page for kpi in Kpi)


def test_journal_page_has_every_field_and_verdict() -> None:
    page = PAGES["journal.md"]()
    for cls in get_args(records.Record):
        section = page.split(f"\n## {cls.__name__.removesuffix('Record').lower()}\n")[1].split("\n## ")[0]
        assert all(f"| `{item.name}` |" in section for item in fields(cls)), cls.__name__
    assert all(f"| `{verdict}` |" in page for verdict in records.Verdict)
