"""Documents out: every indicator, figure and page is computed from journals, never from live simulation objects.

pandas appears in ``frames`` only, matplotlib in ``figures`` only; both take seconds to import, so they are imported
by the functions here that draw, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reports.diff.card import Diff
from reports.diff.comparing import diff, settled
from reports.diff.data import diff_json
from reports.diff.text import diff_text
from reports.gate.card import Gate
from reports.gate.data import gate_json
from reports.gate.findings import gate_findings
from reports.gate.junit import gate_junit
from reports.gate.text import gate_text
from reports.json_ import run_json, score_json
from reports.power.card import Power
from reports.power.data import powers_json
from reports.power.text import power_markdown, power_text
from reports.scorecard import Score
from reports.scoring import score
from reports.study.card import StudyCard
from reports.study.data import study_csv, study_json
from reports.study.text import study_text
from reports.text import run_text, score_text
from reports.timetable import timetable_markdown, timetable_text, timetables_json
from reports.tune.card import Tuning
from reports.tune.data import tuning_json
from reports.tune.text import tuning_text
from reports.verify.card import Verification
from reports.verify.data import verification_json
from reports.verify.text import verification_text
from scenarios.power.models import Gateless
from sim.model.records import RunResult
from sim.timetable import Refused, Timetable

FORMATS = ("text", "json", "md", "html")

__all__ = [
    "FORMATS",
    "diff",
    "gate_findings",
    "gate_junit",
    "render_diff",
    "render_gate",
    "render_powers",
    "render_score",
    "render_study",
    "render_timetables",
    "render_tuning",
    "render_verification",
    "run_json",
    "run_text",
    "score",
    "settled",
    "timeline_svg",
    "write_diff",
    "write_gate",
    "write_power",
    "write_report",
    "write_run",
    "write_study",
    "write_timetable",
    "write_tuning",
    "write_verification",
]


def render_score(scored: Score, fmt: str) -> str:
    """The score in one of ``FORMATS``; ValueError for another."""
    match fmt:
        case "text":
            return score_text(scored)
        case "json":
            return score_json(scored)
        case "md" | "html":
            from reports import documents  # noqa: PLC0415 - see the module's docstring

            return documents.markdown(scored) if fmt == "md" else documents.html(scored)
        case _:
            msg = f"{fmt!r} is not among {', '.join(FORMATS)}"
            raise ValueError(msg)


def render_diff(found: Diff, fmt: str, runs: tuple[RunResult, RunResult] | None = None) -> str:
    """The diff in one of ``FORMATS`` (HTML with ``runs``, one release on both sides); ValueError for another."""
    match fmt:
        case "text":
            return diff_text(found)
        case "json":
            return diff_json(found)
        case "md" | "html":
            from reports.diff import documents  # noqa: PLC0415 - see the module's docstring

            return documents.markdown(found) if fmt == "md" else documents.html(found, runs)
        case _:
            msg = f"{fmt!r} is not among {', '.join(FORMATS)}"
            raise ValueError(msg)


def write_diff(found: Diff, runs: tuple[RunResult, RunResult] | None, folder: Path) -> None:
    """Write report.html, report.md, diff.json and the figures into the folder; ``runs`` are one release on both sides."""
    from reports.diff import documents  # noqa: PLC0415 - see the module's docstring

    documents.write_diff(found, runs, folder)


def write_report(scored: Score, folder: Path) -> None:
    """Write report.html, report.md, score.json and figures/*.svg into the folder."""
    from reports import documents  # noqa: PLC0415 - see the module's docstring

    documents.write_report(scored, folder)


def write_run(result: RunResult, folder: Path) -> tuple[str, ...]:
    """Write journal.jsonl, run.json and timeline.svg into the folder; returns their names."""
    from reports import documents  # noqa: PLC0415 - see the module's docstring

    return documents.write_run(result, folder)


def timeline_svg(result: RunResult) -> bytes:
    """One run over time, as an SVG."""
    from reports import documents  # noqa: PLC0415 - see the module's docstring

    return documents.timeline_svg(result)


def render_timetables(found: Sequence[Timetable | Refused], fmt: str) -> str:
    """Timetables as ``text``, ``json`` or ``md``."""
    if fmt == "json":
        return timetables_json(found)
    write = timetable_text if fmt == "text" else timetable_markdown
    return "\n\n".join(write(one) for one in found)


def write_timetable(found: Timetable, folder: Path) -> tuple[str, ...]:
    """Write plan.json, plan.png and plan.svg into the folder; returns their names."""
    from reports import documents  # noqa: PLC0415 - see the module's docstring

    return documents.write_timetable(found, folder)


def render_tuning(found: Tuning, fmt: str) -> str:
    """The tuning as ``text``, ``json`` or ``md``."""
    if fmt != "md":
        return tuning_json(found) if fmt == "json" else tuning_text(found)
    from reports.tune import documents  # noqa: PLC0415 - see the module's docstring

    return documents.markdown(found)


def write_tuning(found: Tuning, folder: Path) -> None:
    """Write report.md, tune.json, front.svg and patch.diff into the folder."""
    from reports.tune import documents  # noqa: PLC0415 - see the module's docstring

    documents.write_tuning(found, folder)


def render_verification(found: Verification, fmt: str) -> str:
    """The comparison of twin and cluster in one of ``FORMATS``; ValueError for another."""
    match fmt:
        case "text":
            return verification_text(found)
        case "json":
            return verification_json(found)
        case "md" | "html":
            from reports.verify import documents  # noqa: PLC0415 - see the module's docstring

            return documents.markdown(found) if fmt == "md" else documents.html(found)
        case _:
            msg = f"{fmt!r} is not among {', '.join(FORMATS)}"
            raise ValueError(msg)


def write_verification(found: Verification, folder: Path) -> None:
    """Write report.html, report.md, verify.json and figures/*.svg into the folder."""
    from reports.verify import documents  # noqa: PLC0415 - see the module's docstring

    documents.write_verification(found, folder)


def render_powers(found: Sequence[Power | Gateless], fmt: str) -> str:
    """What gates can tell, as ``text``, ``json`` or ``md``."""
    if fmt == "json":
        return powers_json(found)
    write = power_text if fmt == "text" else power_markdown
    return "\n\n".join(write(one) for one in found)


def write_power(found: Power, folder: Path) -> tuple[str, ...]:
    """Write power.svg, report.md and power.json into the folder; returns their names."""
    from reports.power import documents  # noqa: PLC0415 - see the module's docstring

    return documents.write_power(found, folder)


def render_gate(found: Gate, fmt: str) -> str:
    """The gate as ``text``, ``json`` or ``md``; ValueError for another."""
    match fmt:
        case "text":
            return gate_text(found)
        case "json":
            return gate_json(found)
        case "md":
            from reports.gate import documents  # noqa: PLC0415 - see the module's docstring

            return documents.markdown(found)
        case _:
            msg = f"{fmt!r} is not among text, json, md"
            raise ValueError(msg)


def write_gate(found: Gate, folder: Path) -> None:
    """Write report.md, gate.json, claims.svg and claims.png into the folder."""
    from reports.gate import documents  # noqa: PLC0415 - see the module's docstring

    documents.write_gate(found, folder)


def render_study(card: StudyCard, fmt: str) -> str:
    """The study as ``text``, ``json``, ``csv`` or ``md``; ValueError for another."""
    match fmt:
        case "text":
            return study_text(card)
        case "json":
            return study_json(card)
        case "csv":
            return study_csv(card)
        case "md":
            from reports.study import documents  # noqa: PLC0415 - see the module's docstring

            return documents.markdown(card)
        case _:
            msg = f"{fmt!r} is not among text, json, csv, md"
            raise ValueError(msg)


def write_study(card: StudyCard, folder: Path) -> None:
    """Write report.md, study.json, study.csv and differences.svg into the folder."""
    from reports.study import documents  # noqa: PLC0415 - see the module's docstring

    documents.write_study(card, folder)
