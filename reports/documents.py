"""Whole documents: the Markdown and HTML reports of a score, and the files of a score or a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports import frames, journal, json_, words
from reports.figures import comparison, detection, style, timeline, verdicts
from reports.files import write_atomically
from reports.scorecard import KpiScore, Score, StrategyScore
from sim.model.records import RunResult

_CLASSES = {"yes": "yes", "no": "no", "never": "no", "undecided": "maybe", "no data": "none", "no target": "none"}


class Chart(NamedTuple):
    """A figure of the report."""

    name: str
    title: str
    caption: str
    svg: bytes


class Light(NamedTuple):
    """One cell of the first page's matrix: a word, its colour's class, and the estimate."""

    word: str
    css: str
    estimate: str


def markdown(score: Score) -> str:
    """The report as Markdown, with links to the figures that ``write_report`` writes beside it."""
    return _environment().get_template("report.md.j2").render(_content(score, _charts_without_drawing()))


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


def write_run(result: RunResult, folder: Path) -> None:
    """Write journal.jsonl, run.json and timeline.svg into the folder."""
    journal.write(folder / "journal.jsonl", result)
    write_atomically(folder / "run.json", json_.run_json(result) + "\n")
    write_atomically(folder / "timeline.svg", timeline_svg(result))


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
              "Dot: mean; bar: interval; dashed: target; arrow head: at least this much, because runs ended first.", b""),
        Chart("verdicts", "How releases end", "Shares of the good and of the bad releases.", b""),
        Chart("detection", "How soon bad releases are detected",
              "A curve that stays below 100 % has releases that nobody detected within the run.", b""),
        Chart("indicators", "All indicators", "As in the first figure.", b""),
    )  # fmt: skip


def _html(score: Score, drawn: tuple[Chart, ...]) -> str:
    return _environment().get_template("report.html.j2").render(_content(score, drawn))


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _content(score: Score, drawn: tuple[Chart, ...]) -> dict[str, Any]:
    """Everything the templates show, as text: they compute nothing."""
    kpis = [kpi.kpi for kpi in (score.strategies[0].kpis if score.strategies else ())]
    columns = [kpi for kpi in kpis if any(strategy.kpi(kpi).targets for strategy in score.strategies)]
    return {
        "summary": words.overall(score),
        "level": f"{100 * score.level:g} %",
        "score": score,
        "columns": [words.KPI_NAMES[kpi] for kpi in columns],
        "rows": [
            (strategy, words.answer(strategy), [_light(strategy.kpi(kpi)) for kpi in columns])
            for strategy in score.strategies
        ],
        "details": [_detail(strategy, score) for strategy in score.strategies],
        "differences": frames.difference_table(score),
        "assumptions": frames.pairs_table(score.about.assumptions, ("What", "Assumed")),
        "charts": [
            (chart, Markup(_inline(chart)) if chart.svg else "")  # noqa: S704 - our own drawing, its text escaped
            for chart in drawn
        ],
        "html_table": _html_table,
        "markdown_table": frames.markdown_table,
        "cell": frames.markdown_cell,
    }


def _detail(strategy: StrategyScore, score: Score) -> dict[str, Any]:
    return {
        "strategy": strategy,
        "answer": words.answer(strategy),
        "kpis": frames.kpi_table(strategy, score.dora_year),
        "verdicts": frames.verdict_table(strategy),
        "reasons": frames.reason_table(strategy),
        "targets": frames.target_table(strategy),
    }


def _light(kpi: KpiScore) -> Light:
    word = words.met_text(kpi.target, kpi)
    return Light(word, _CLASSES[word], words.estimate_text(kpi))


def _html_table(frame: Any) -> Markup:
    return Markup(frames.html_table(frame))  # noqa: S704 - pandas escapes every cell


def _inline(chart: Chart) -> str:
    """The SVG without its XML prologue, named for screen readers."""
    text = chart.svg.decode()
    label = f'<svg role="img" aria-label="{chart.title}" '
    return text[text.index("<svg") :].replace("<svg ", label, 1)
