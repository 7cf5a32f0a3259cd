"""A tuning as Markdown and as files: report, data, patch and figure."""

from __future__ import annotations

from pathlib import Path

from reports import frames
from reports.documents import environment
from reports.figures import pareto, style
from reports.files import write_atomically
from reports.tune import words
from reports.tune.card import Tuning
from reports.tune.data import tuning_json


def markdown(tuning: Tuning) -> str:
    """The tuning as Markdown, as for a comment on a pull request with its patch."""
    heads = ("", "As written", "Chosen", "Difference (interval)")
    return (
        environment()
        .get_template("tune.md.j2")
        .render(
            title=tuning.asked.title,
            about=words.about_text(tuning),
            headlines=list(words.headlines(tuning)),
            held_out=frames.rows_table(words.row_cells(tuning), heads),
            changes=frames.rows_table(words.setting_rows(tuning), ("Value", "As written", "Chosen", "Where")),
            patch=tuning.patch,
            apply=tuning.apply,
            unwritten=tuning.unwritten,
            front=frames.rows_table(words.front_rows(tuning), words.front_heads(tuning.asked)),
            importances=words.importance_rows(tuning),
            method=words.method_text(tuning),
            markdown_table=frames.markdown_table,
            cell=frames.markdown_cell,
        )
    )


def write_tuning(tuning: Tuning, folder: Path) -> None:
    """Write report.md, tune.json, front.svg and, where a policy was chosen, patch.diff into the folder."""
    write_atomically(folder / "front.svg", style.svg(pareto.draw(pareto.info(tuning))))
    write_atomically(folder / "report.md", markdown(tuning) + "\n")
    write_atomically(folder / "tune.json", tuning_json(tuning) + "\n")
    if tuning.patch:
        write_atomically(folder / "patch.diff", tuning.patch.encode())
    else:
        # Of an earlier search, whose choice is no longer this folder's.
        (folder / "patch.diff").unlink(missing_ok=True)
