"""Files of a report: power.json, report.md and the figure."""

from __future__ import annotations

from pathlib import Path

from reports.figures import power as figure
from reports.figures import style
from reports.files import write_atomically
from reports.power.card import Power
from reports.power.data import powers_json
from reports.power.text import power_markdown


def write_power(found: Power, folder: Path) -> tuple[str, ...]:
    """Write power.json, power.svg and report.md into the folder; returns their names."""
    drawn = figure.draw(figure.info(found))
    files: dict[str, str | bytes] = {
        "power.json": powers_json([found]) + "\n",
        "power.svg": style.svg(drawn),
        "report.md": power_markdown(found) + "\n",
    }
    for name, content in files.items():
        write_atomically(folder / name, content)
    return tuple(files)
