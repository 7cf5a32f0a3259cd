"""The comparison as Markdown, as one HTML page, and as files with figures."""

from __future__ import annotations

from pathlib import Path

from reports.files import write_atomically
from reports.verify.card import Verification
from reports.verify.data import verification_json
from reports.verify.text import verification_text


def markdown(found: Verification) -> str:
    """The comparison as Markdown."""
    return verification_text(found)


def html(found: Verification) -> str:
    """The comparison as one self-contained HTML file."""
    return verification_text(found)


def write_verification(found: Verification, folder: Path) -> None:
    """Write report.html, report.md, verify.json and figures/*.svg into the folder."""
    write_atomically(folder / "verify.json", verification_json(found) + "\n")
