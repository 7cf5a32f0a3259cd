"""A gate as JSON: what scripts read."""

from __future__ import annotations

from typing import Any

from reports.gate import words
from reports.gate.card import Example, Gate, Result
from reports.gate.chances import chances
from reports.gate.means import MeanState, MeanTest, limits
from reports.gate.sprt import Sprt, State
from reports.json_ import indented
from scenarios.policy.sentence import sentence

FORMAT = 1


def gate_json(gate: Gate) -> str:
    """The gate as an indented JSON object; equal gates give equal text."""
    return indented(
        {
            "format": FORMAT,
            "version": gate.version,
            "command": gate.command,
            "policy": {"title": gate.policy.title, "file": gate.policy.file, "seed": gate.policy.seed},
            "answer": gate.answer,
            "replications": gate.replications,
            "error_rates": {
                "of": gate.policy.rates_of,
                "false_pass": gate.policy.rates.false_pass,
                "false_fail": gate.policy.rates.false_fail,
                "left_open": gate.policy.rates.left_open,
            },
            "claims": [_claim(result) for result in gate.results],
        }
    )


def _claim(result: Result) -> dict[str, Any]:
    claim = result.claim
    return {
        "name": claim.name,
        "sentence": sentence(claim),
        "scenario": result.scenario,
        "release": claim.release,
        "file": claim.place.file,
        "line": claim.place.line,
        "answer": result.answer,
        "replications": result.seen,
        "margin": claim.margin,
        "tolerance": claim.tolerance,
        "most_replications": result.test.most,
        "false_pass": claim.rates.false_pass,
        "false_fail": claim.rates.false_fail,
        "left_open": claim.rates.left_open,
        **_evidence(result),
        "absent": result.absent,
        "breaking_verdicts": {verdict.value: count for verdict, count in result.verdicts},
        "message": words.message(result),
        "example": None if result.example is None else _example(result.example),
    }


def _evidence(result: Result) -> dict[str, Any]:
    if isinstance(result.state, State) and isinstance(result.test, Sprt):
        bound = result.test.share
        around = chances(result.test, sorted({*result.test.clear, bound}))
        return {
            "kept": result.state.kept,
            "broken": result.state.broken,
            "share": bound,
            "too_close": result.state.too_close,
            "chances": [
                {
                    "if_kept_in": one.share,
                    "passed": one.passed,
                    "failed": one.failed,
                    "too_close": one.too_close,
                    "cut_short": one.cut_short,
                    "mean_replications": one.mean_replications,
                }
                for one in around
            ],
        }
    if isinstance(result.state, MeanState) and isinstance(result.test, MeanTest) and result.state.seen:
        low, high = limits(result.test, result.state)
        return {"mean": result.state.mean, "lo": low, "hi": high, "too_close": result.state.too_close}
    return {}


def _example(example: Example) -> dict[str, Any]:
    return {
        "seed": example.seed,
        "command": example.command,
        "happened": example.happened,
        "gates": [
            {
                "metric": item.metric,
                "condition": item.written,
                "file": item.place.file,
                "line": item.place.line,
                "said": item.said,
            }
            for item in example.conditions
        ],
    }
