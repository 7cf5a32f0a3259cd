"""A tuning as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from reports.tune import words
from reports.tune.card import Claim, Row, Tried, Tuning


def tuning_json(tuning: Tuning) -> str:
    """Everything that was found, with the schema's name."""
    asked = tuning.asked
    data = {
        "schema": "rolltwin/tune/v1",
        "scenario": asked.title,
        "scenario_hash": asked.scenario_hash,
        "command": tuning.about.command,
        "version": tuning.about.version,
        "seed": asked.seed,
        "level": asked.level,
        "sampler": asked.sampler,
        "objectives": [item.text for item in asked.objectives],
        "constraints": [item.text for item in asked.constraints],
        "parameters": [
            {"name": name, "values": values, "written": written, "place": place}
            for name, values, written, place in asked.space
        ],
        "releases": list(asked.releases),
        "headlines": list(words.headlines(tuning)),
        "finished": not tuning.unfinished,
        "tried": [_tried(one) for one in tuning.tried],
        "as_written": _tried(tuning.written),
        "front": [_tried(one) for one in tuning.front],
        "knee": None if tuning.knee is None else _tried(tuning.knee),
        "held_out": _held_out(tuning),
        "patch": tuning.patch,
        "unwritten": list(tuning.unwritten),
        "importances": {item.objective.measure.text: dict(item.shares) for item in tuning.importances},
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _tried(one: Tried) -> dict[str, Any]:
    return {**asdict(one), "fate": one.fate.value, "settings": dict(one.settings), "feasible": one.feasible}


def _held_out(tuning: Tuning) -> dict[str, Any] | None:
    found = tuning.held_out
    if found is None:
        return None
    return {
        "seed": found.seed,
        "replications": dict(found.replications),
        "most": found.most,
        "pairs": found.pairs,
        "measures": {row.measure.text: _row(row) for row in found.rows},
        "claims": [_claim(claim) for claim in found.claims],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "unit": row.measure.unit,
        **{name: asdict(getattr(row, name)) for name in ("before", "after", "difference")},
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "constraint": claim.constraint.text,
        "estimate": asdict(claim.estimate),
        "met": claim.met,
        "kept": claim.kept,
        "of": claim.of,
        "met_as_written": claim.before,
        "broken": None if claim.broken is None else asdict(claim.broken),
    }
