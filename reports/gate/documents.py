"""A gate as Markdown, for a pull request or a job's summary, and as files with the figure."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from reports import frames
from reports.documents import environment
from reports.figures import claims, style
from reports.files import write_atomically
from reports.gate import words
from reports.gate.card import Gate, Result
from reports.gate.data import gate_json
from reports.gate.sprt import Answer

_SIGNS = {Answer.PASSED: "✅", Answer.FAILED: "❌", Answer.UNDECIDED: "❓", Answer.OPEN: "⏳"}


def markdown(gate: Gate) -> str:
    """The answer, a table of the claims, and of those that did not pass why, each folded."""
    return environment().get_template("gate.md.j2").render(_content(gate))


def write_gate(gate: Gate, folder: Path) -> None:
    """Write report.md, gate.json, claims.svg and claims.png into the folder."""
    figure = claims.draw(claims.info(gate))
    write_atomically(folder / "claims.svg", style.svg(figure))
    write_atomically(folder / "claims.png", style.png(figure))
    write_atomically(folder / "report.md", markdown(gate) + "\n")
    write_atomically(folder / "gate.json", gate_json(gate) + "\n")


def _content(gate: Gate) -> dict[str, Any]:
    rows = [
        (_SIGNS[one.answer], one.claim.name, one.answer.value, words.evidence(one), words.seen_values(one))
        for one in gate.results
    ]
    return {
        "title": gate.policy.title,
        "marks": _SIGNS[gate.answer],
        "verdict": words.verdict(gate),
        "claims": frames.rows_table(rows, ("", "Claim", "Answer", "Evidence", "Values")),
        "broken": [_broken(one) for one in gate.results if one.answer is not Answer.PASSED],
        "method": words.method(gate.policy),
        "markdown_table": frames.markdown_table,
        "cell": frames.markdown_cell,
    }


def _broken(result: Result) -> dict[str, Any]:
    reasons = list(words.reasons(result))
    return {
        "mark": _SIGNS[result.answer],
        "name": escape(result.claim.name),
        "evidence": f"{words.evidence(result)}, {words.conclusion(result)}",
        "reasons": reasons[:-1],
        "command": "" if result.example is None else result.example.command,
    }
