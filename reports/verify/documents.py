"""The comparison as Markdown, as one HTML page, and as files with figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from reports import frames
from reports.documents import Chart, environment, html_table, inline
from reports.figures import overview, style, worlds
from reports.files import write_atomically
from reports.verify import words
from reports.verify.card import PairingComparison, RunComparison, Verification
from reports.verify.data import verification_json

_CAPTION = (
    "Blue: the twin's median and the band that holds 90 % of its replications; red: the cluster. Ready pods: candidate "
    "drawn through, stable dashed."
)


class Drawn(NamedTuple):
    """The figures of a comparison: all scenarios together, then each by the name of its file."""

    overview: Chart
    scenarios: tuple[Chart, ...]


def markdown(found: Verification) -> str:
    """The comparison as Markdown, with links to the figures that ``write_verification`` writes beside it."""
    return environment().get_template("verify.md.j2").render(_content(found, None))


def html(found: Verification) -> str:
    """The comparison as one self-contained HTML file."""
    return _html(found, charts(found))


def write_verification(found: Verification, folder: Path) -> None:
    """Write report.html, report.md, verify.json and figures/*.svg into the folder."""
    drawn = charts(found)
    for chart in (drawn.overview, *drawn.scenarios):
        write_atomically(folder / "figures" / f"{chart.name}.svg", chart.svg)
    write_atomically(folder / "report.html", _html(found, drawn) + "\n")
    write_atomically(folder / "report.md", markdown(found) + "\n")
    write_atomically(folder / "verify.json", verification_json(found) + "\n")


def charts(found: Verification) -> Drawn:
    """One figure of everything, and one for each scenario."""
    title, caption = "Times to decision", "Marks: the cluster's runs; bars: the twin's median and 90 % interval."
    return Drawn(
        Chart("overview", title, caption, style.svg(overview.draw(overview.info(found)))),
        tuple(
            Chart(name, words.name_text(item.pairing), _CAPTION, style.svg(worlds.draw(worlds.info(item))))
            for name, item in zip(_names(found), found.pairings, strict=True)
        ),
    )


def _names(found: Verification) -> list[str]:
    """File names, each once."""
    names: list[str] = []
    for item in found.pairings:
        base = re.sub(r"[^\w.-]+", "-", words.name_text(item.pairing))
        taken = sum(name == base or name.startswith(f"{base}.") for name in names)
        names.append(f"{base}.{taken + 1}" if taken else base)
    return names


def _html(found: Verification, drawn: Drawn) -> str:
    return environment().get_template("verify.html.j2").render(_content(found, drawn))


def _content(found: Verification, drawn: Drawn | None) -> dict[str, Any]:
    """Everything the templates show, as text: they compute nothing."""
    rows = [_row(item, run) for item in found.pairings for run in item.runs]
    shown = [None] * len(found.pairings) if drawn is None else list(drawn.scenarios)
    return {
        "about": words.about_text(found),
        "answer": _css(found.answer),
        "headlines": words.headlines(found),
        "overview": None if drawn is None else (drawn.overview, _markup(drawn.overview)),
        "rows": rows,
        "table": frames.rows_table(
            [
                (row["name"], row["label"], row["cluster"], row["twin"], row["time"], f"**{row['answer']}**")
                for row in rows
            ],
            ("Scenario", "Run", "Cluster", "Twin's commonest", "Time to decision", "As asked"),
        ),
        "coverage": frames.rows_table(
            [(item.measure.value, words.coverage_text(item)) for item in found.coverage],
            ("Figure of a cluster's run", "Within the twin's 90 % interval"),
        ),
        "scenarios": [
            _scenario(item, name, chart) for item, name, chart in zip(found.pairings, _names(found), shown, strict=True)
        ],
        "caption": _CAPTION,
        "thresholds": words.thresholds_text(found),
        "method": words.method_text(),
        "command": found.about.command,
        "version": found.about.version,
        "seed": found.seed,
        "html_table": html_table,
        "markdown_table": frames.markdown_table,
        "cell": frames.markdown_cell,
    }


def _css(answer: str) -> str:
    return answer.replace(" ", "-")


def _markup(chart: Chart) -> Markup:
    return Markup(inline(chart))  # noqa: S704 - our own drawing, its text escaped


def _row(item: PairingComparison, run: RunComparison) -> dict[str, str]:
    return {
        "name": words.name_text(item.pairing),
        "label": run.run.label,
        "cluster": words.run_text(run),
        "twin": words.decision_text(item.decision, item.place),
        "time": words.time_text(run.time),
        "answer": run.answer.value,
        "css": _css(run.answer.value),
    }


def _scenario(item: PairingComparison, name: str, chart: Chart | None) -> dict[str, Any]:
    return {
        "name": words.name_text(item.pairing),
        "title": item.pairing.title,
        "near": item.pairing.near,
        "answer": item.answer.value,
        "css": _css(item.answer.value),
        "twin": words.twin_text(item),
        "statements": item.pairing.statements,
        "figure": name,
        "svg": "" if chart is None else _markup(chart),
        "runs": [_run(run) for run in item.runs],
    }


def _run(run: RunComparison) -> dict[str, Any]:
    return {
        "label": run.run.label,
        "cluster": words.run_text(run),
        "reason": run.run.facts.reason or "-",
        "figures": frames.rows_table(words.figures(run), ("", "Cluster and twin")),
        "checks": run.checks,
        "stated": "; ".join(f"{what}: {which}" for what, which in run.run.stated),
    }
