"""A diff as Markdown, as one HTML page, and as files with figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports import frames
from reports.diff import words
from reports.diff.card import Diff
from reports.diff.data import diff_json
from reports.documents import Chart, environment, html_table, inline
from reports.figures import forest, pair, style
from reports.files import write_atomically
from scenarios.changes import Change, WorldChange
from sim.model.records import RunResult

Runs = tuple[RunResult, RunResult]
"""One release under the old and under the new policy."""


def markdown(diff: Diff) -> str:
    """The diff as Markdown for a comment on a pull request: the tables that decide, the rest folded."""
    return environment().get_template("diff.md.j2").render(_content(diff, ()))


def html(diff: Diff, runs: Runs | None) -> str:
    """The diff as one self-contained HTML file."""
    return _html(diff, charts(diff, runs))


def write_diff(diff: Diff, runs: Runs | None, folder: Path) -> None:
    """Write report.html, report.md, diff.json, diff.svg and, with ``runs`` to show, timeline.svg into the folder."""
    drawn = charts(diff, runs)
    for chart in drawn:
        write_atomically(folder / f"{chart.name}.svg", chart.svg)
    if runs is None:
        # Of an earlier diff, whose decisions are no longer those of this folder.
        (folder / "timeline.svg").unlink(missing_ok=True)
    write_atomically(folder / "report.html", _html(diff, drawn) + "\n")
    write_atomically(folder / "report.md", markdown(diff) + "\n")
    write_atomically(folder / "diff.json", diff_json(diff) + "\n")


def charts(diff: Diff, runs: Runs | None) -> tuple[Chart, ...]:
    """The forest plot, and the two runs if there are any."""
    found = [
        Chart(
            "diff",
            "Change of every indicator",
            "Dot: mean over pairs of replays; bar: interval, which may leave the figure.",
            style.svg(forest.draw(forest.info(diff))),
        )
    ]
    if runs is not None:
        info = pair.info(runs[0].journal, runs[1].journal, diff.policies.labels)
        caption = "Old above, new below; the same requests, delays and faults."
        found.append(Chart("timeline", "One changed decision", caption, style.svg(pair.draw(info))))
    return tuple(found)


def _html(diff: Diff, drawn: Sequence[Chart]) -> str:
    return environment().get_template("diff.html.j2").render(_content(diff, drawn))


def _content(diff: Diff, drawn: Sequence[Chart]) -> dict[str, Any]:
    """Everything the templates show, as text: they compute nothing."""
    policies, sentences = diff.policies, words.headlines(diff)
    alarms = words.alarms(diff)
    return {
        "labels": policies.labels,
        "about": words.about_text(diff),
        "refused": any(diff.refused),
        "alarms": alarms,
        "headlines": sentences[len(alarms) :],
        "effects": [words.effect_cells(effect) for effect in diff.effects],
        "indicators": frames.rows_table(
            [words.effect_cells(effect) for effect in diff.effects],
            ("Indicator", "Old", "New", "Difference (interval)", "Change"),
        ),
        "targets": [words.target_text(item) for item in diff.targets],
        "decisions": frames.rows_table(_decisions(diff), ("Release", "Pairs", "As before", "Changed")),
        "relocations": frames.rows_table(
            [(item.release, words.relocation_text(item), str(item.seed)) for item in diff.relocations],
            ("Release", "What changed", "First seed"),
        ),
        "timings": [words.timing_text(item) for item in diff.timings],
        "replays": [(words.transition_text(item), words.replay_text(diff, item)) for item in diff.changed],
        "changes": frames.rows_table(
            [_change(item) for item in policies.changes], ("Object", "What", "Old \N{RIGHTWARDS ARROW} new", "Where")
        ),
        "settings": _settings(policies.settings),
        "findings_text": words.findings_text(policies),
        "findings": frames.rows_table(
            [
                ("new" if item.new else "resolved", item.finding.code, item.finding.severity.value,
                 item.finding.message, item.finding.place)
                for item in policies.findings
            ],
            ("", "Code", "Severity", "Finding", "Where"),
        ),
        "world": _settings(policies.world),
        "method": words.method_text(diff),
        "command": diff.about.command,
        "version": diff.about.version,
        "seed": diff.effort.seed,
        "charts": [
            (chart, Markup(inline(chart)))  # noqa: S704 - our own drawing, its text escaped
            for chart in drawn
        ],
        "html_table": html_table,
        "markdown_table": frames.markdown_table,
        "cell": frames.markdown_cell,
    }  # fmt: skip


def _decisions(diff: Diff) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for release, good, of in words.kinds(diff):
        changed = "; ".join(words.change_of_verdict(item) for item in diff.changed if item.release == release)
        unchanged = words.unchanged_text(diff, release)
        rows.append((words.kind_text(release, good=good), str(of), unchanged or "none", changed or "none"))
    return rows


def _change(item: Change) -> tuple[str, ...]:
    note = "" if item.modelled else " (not read by the model)"
    return item.subject, (item.where or "object") + note, words.change_text(item), words.place_text(item)


def _settings(found: Sequence[WorldChange]) -> frames.DataFrame:
    rows = [(item.path, words.shorten(item.old), words.shorten(item.new)) for item in found]
    return frames.rows_table(rows, ("Field", "Old", "New"))
