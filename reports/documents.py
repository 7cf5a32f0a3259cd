"""Whole documents: the Markdown and HTML reports of a score, and the files of a score or a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports import frames, journal, json_, summary, words
from reports.figures import comparison, detection, style, timeline, timetable, verdicts
from reports.files import write_atomically
from reports.scorecard import KpiScore, Score, StrategyScore
from reports.timetable import timetables_json
from sim.model.kpis import Kpi
from sim.model.records import RunResult
from sim.timetable import Timetable

_CLASSES = {"yes": "yes", "no": "no", "never": "no", "undecided": "maybe", "no data": "none", "no target": "none"}


class Chart(NamedTuple):
    """A figure of the report."""

    name: str
    title: str
    caption: str
    svg: bytes


class Light(NamedTuple):
    """One target's cell of the first page's matrix: a word, its colour's class, the estimate and what would decide it."""

    column: str
    word: str
    css: str
    estimate: str
    more: str


class Column(NamedTuple):
    """An indicator with a target, and that target if all cells have the same."""

    name: str
    target: str


class Row(NamedTuple):
    """A cell of the study on the first page; ``new`` for the first variant of a strategy."""

    strategy: StrategyScore
    new: bool
    good: str
    bad: str
    lights: tuple[Light, ...]
    targets: str


def markdown(score: Score) -> str:
    """The report as Markdown, with links to the figures that ``write_report`` writes beside it."""
    return environment().get_template("report.md.j2").render(_content(score, _charts_without_drawing()))


def html(score: Score) -> str:
    """The report as one self-contained HTML file: styles and figures inside, nothing fetched."""
    return _html(score, charts(score))


def write_report(score: Score, folder: Path) -> None:
    """Write report.html, report.md, score.json and figures/*.svg into the folder."""
    drawn = charts(score)
    for chart in drawn:
        write_atomically(folder / "figures" / f"{chart.name}.svg", chart.svg)
    write_atomically(folder / "report.html", _html(score, drawn) + "\n")
    write_atomically(folder / "report.md", markdown(score) + "\n")
    write_atomically(folder / "score.json", json_.score_json(score) + "\n")


def write_run(result: RunResult, folder: Path) -> tuple[str, ...]:
    """Write journal.jsonl, run.json and timeline.svg into the folder; returns their names."""
    journal.write(folder / "journal.jsonl", result)
    write_atomically(folder / "run.json", json_.run_json(result) + "\n")
    write_atomically(folder / "timeline.svg", timeline_svg(result))
    return "journal.jsonl", "run.json", "timeline.svg"


def write_timetable(found: Timetable, folder: Path) -> tuple[str, ...]:
    """Write plan.json, plan.png and plan.svg into the folder; returns their names."""
    figure = timetable.draw(timetable.info(found))
    write_atomically(folder / "plan.json", timetables_json([found]) + "\n")
    write_atomically(folder / "plan.svg", style.svg(figure))
    write_atomically(folder / "plan.png", style.png(figure))
    return "plan.json", "plan.png", "plan.svg"


def timeline_svg(result: RunResult) -> bytes:
    """One run over time, as an SVG."""
    return style.svg(timeline.draw(timeline.info(result.journal)))


def charts(score: Score) -> tuple[Chart, ...]:
    """The report's figures, the main one first."""
    drawings = (
        comparison.draw(comparison.info(score, only_targets=True)),
        verdicts.draw(verdicts.info(score)),
        detection.draw(detection.info(score)),
        comparison.draw(comparison.info(score, only_targets=False)),
    )
    return tuple(
        chart._replace(svg=style.svg(figure)) for chart, figure in zip(_charts_without_drawing(), drawings, strict=True)
    )


def _charts_without_drawing() -> tuple[Chart, ...]:
    return (
        Chart("targets", "Indicators with targets",
              "Dot: mean; bar: interval, which may leave the panel; dashed: the target that counts now; dotted: other "
              "periods'; arrow head: at least this much, because runs ended first.", b""),
        Chart("verdicts", "How releases end", "Shares of the good and of the bad releases, in percent.", b""),
        Chart("detection", "How soon bad releases are detected",
              "A curve that stays below 100 % has releases that nobody detected within the run.", b""),
        Chart("indicators", "Other indicators", "As in the first figure; no targets are declared for these.", b""),
    )  # fmt: skip


def _html(score: Score, drawn: tuple[Chart, ...]) -> str:
    return environment().get_template("report.html.j2").render(_content(score, drawn))


def environment() -> Environment:
    """The templates of all documents."""
    return Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _content(score: Score, drawn: tuple[Chart, ...]) -> dict[str, Any]:
    """Everything the templates show, as text: they compute nothing."""
    return {
        "summary": words.overall(score),
        "headlines": summary.headlines(score),
        "level": f"{100 * score.level:g} %",
        "score": score,
        "columns": [_column(score, kpi) for kpi in frames.targeted(score)],
        "rows": _rows(score),
        "matrix": frames.target_matrix(score),
        "details": [_detail(strategy, score) for strategy in score.strategies],
        "differences": frames.difference_table(score),
        "assumptions": frames.rows_table(score.about.assumptions, ("What", "Assumed")),
        "charts": [
            (chart, Markup(inline(chart)) if chart.svg else "")  # noqa: S704 - our own drawing, its text escaped
            for chart in drawn
        ],
        "html_table": html_table,
        "markdown_table": frames.markdown_table,
        "cell": frames.markdown_cell,
    }


def _column(score: Score, kpi: Kpi) -> Column:
    known = {target: words.target_text(target, kpi) for s in score.strategies if (target := s.kpi(kpi).target)}
    said = {f"{text} ({target.period})" for target, text in known.items()}
    return Column(words.KPI_NAMES[kpi], _tight(said.pop()) if len(said) == 1 else "")


def _tight(text: str) -> str:
    """The text with what belongs together kept on one line: ``67 %``, ``(0 .. 3)``, ``(year 1)``."""
    return re.sub(
        r"(?<=[<≤>≥]) | (?=%)| (?=\.\.)|(?<=\.\.) |(?<=\(year) |(?<=\d) (?=met|missed|undec|no )|(?<=no) (?=data)",
        "\N{NO-BREAK SPACE}",
        text,
    )


def _rows(score: Score) -> list[Row]:
    kpis = frames.targeted(score)
    previous = ["", *(strategy.name for strategy in score.strategies)]
    return [
        Row(
            line.strategy,
            line.strategy.name != before,
            _tight(line.good),
            _tight(line.bad),
            tuple(_light(line.strategy.kpi(kpi)) for kpi in kpis),
            _tight(line.targets),
        )
        for line, before in zip(summary.lines(score), previous, strict=False)
    ]


def _detail(strategy: StrategyScore, score: Score) -> dict[str, Any]:
    return {
        "strategy": strategy,
        "answer": words.answer(strategy),
        "targets_text": summary.tally_text(summary.tally(strategy)),
        "kpis": frames.kpi_table(strategy, score.dora_year),
        "verdicts": frames.verdict_table(strategy),
        "reasons": frames.reason_table(strategy),
        "targets": frames.target_table(strategy),
    }


def _light(kpi: KpiScore) -> Light:
    word = words.met_text(kpi.target, kpi)
    return Light(
        words.KPI_NAMES[kpi.kpi].lower(),
        word,
        _CLASSES[word],
        _tight(words.estimate_text(kpi)),
        _tight(words.decides_text(kpi.target)),
    )


def html_table(frame: Any) -> Markup:
    """The frame as an HTML table for a template."""
    return Markup(frames.html_table(frame))  # noqa: S704 - pandas escapes every cell


def inline(chart: Chart) -> str:
    """The SVG without its XML prologue, named for screen readers."""
    text = chart.svg.decode()
    label = f'<svg role="img" aria-label="{chart.title}" '
    return text[text.index("<svg") :].replace("<svg ", label, 1)
