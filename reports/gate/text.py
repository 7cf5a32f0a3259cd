"""A gate for a terminal or the log of a job."""

from __future__ import annotations

from reports.gate import words
from reports.gate.card import Gate, Result
from reports.gate.sprt import Answer
from reports.text import wrapped

_INDENT = "    "


def gate_text(gate: Gate) -> str:
    """The answer first, then every claim with its evidence, those that did not pass with a reason."""
    head = [gate.policy.title, words.verdict(gate)]
    return "\n\n".join(["\n".join(head), *map(_claim, gate.results), wrapped(words.method(gate.policy), "")])


def _claim(result: Result) -> str:
    lines = [wrapped(result.claim.name, f"{words.MARKS[result.answer]:<9}  ")]
    if other := words.said(result):
        lines.append(wrapped(other, _INDENT))
    lines.append(wrapped(f"{words.evidence(result)}, {words.conclusion(result)}", _INDENT))
    if values := words.seen_values(result):
        lines.append(wrapped(values, _INDENT))
    if result.answer is not Answer.PASSED:
        lines += [wrapped(reason, f"{_INDENT}- ") for reason in words.reasons(result)]
    return "\n".join(lines)
