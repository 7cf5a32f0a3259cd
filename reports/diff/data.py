"""A diff as JSON: what scripts read."""

from __future__ import annotations

from typing import Any

from reports.diff.card import Diff, Effect
from reports.json_ import FORMAT, indented, interval
from scenarios.changes import Change, FindingChange, WorldChange
from scenarios.findings import path_text
from sim.model.kpis import KPI_MEANINGS
from sim.model.scenario import Scenario


def diff_json(diff: Diff) -> str:
    """The diff as an indented JSON object; equal diffs give equal text."""
    return indented(diff_data(diff))


def diff_data(diff: Diff) -> dict[str, Any]:
    """The diff as plain JSON data; differences are new minus old in the indicator's own unit."""
    policies = diff.policies
    return {
        "format": FORMAT,
        "version": diff.about.version,
        "old": _side(policies.labels[0], policies.old, diff.refused[0]),
        "new": _side(policies.labels[1], policies.new, diff.refused[1]),
        "same": policies.same,
        "worse": diff.worse,
        "world": {
            "same": not policies.world,
            "replayed": policies.world_of or ("both" if not policies.world else "each its own"),
            "differences": [_setting(item) for item in policies.world],
            "releases_left_out": list(diff.left_out),
        },
        "policy": {
            "changes": [_change(item) for item in policies.changes],
            "settings": [_setting(item) for item in policies.settings],
        },
        "findings": [_finding(item) for item in policies.findings],
        "decisions": {
            "transitions": [
                {
                    "release": item.release, "good": item.good, "old": item.old, "new": item.new, "changed": item.changed,
                    "count": item.count, "of": item.of, "seed": item.seed, "old_reason": item.old_reason,
                    "new_reason": item.new_reason,
                }
                for item in diff.transitions
            ],
            "reasons": [
                {
                    "release": item.release, "verdict": item.verdict, "old": item.old, "new": item.new, "count": item.count,
                    "of": item.of, "seed": item.seed,
                }
                for item in diff.relocations
            ],
            "times": [
                {"release": item.release, "verdict": item.verdict, "unit": "min", "old": item.old_min, "new": item.new_min,
                 "difference": interval(item.difference)}
                for item in diff.timings
            ],
        },
        "kpis": {effect.kpi: _effect(effect) for effect in diff.effects},
        "targets": [
            {"kpi": item.target.kpi, "period": item.target.period, "value": item.target.value, "strict": item.target.strict,
             "old": item.old, "new": item.new}
            for item in diff.targets
        ],
        "replications": diff.effort.replications,
        "looks": list(diff.effort.looks),
        "level": diff.effort.level,
        "seed": diff.effort.seed,
        "command": diff.about.command,
    }  # fmt: skip


def _side(label: str, scenario: Scenario, refused: str) -> dict[str, Any]:
    return {"path": label, "title": scenario.title, "refused": refused or None}


def _setting(item: WorldChange) -> dict[str, Any]:
    return {"path": item.path, "old": item.old, "new": item.new}


def _change(item: Change) -> dict[str, Any]:
    return {
        "object": item.subject,
        "where": item.where,
        "path": item.path,
        "old": item.old,
        "new": item.new,
        "old_place": item.old_place or None,
        "new_place": item.new_place or None,
        "modelled": item.modelled,
    }


def _finding(item: FindingChange) -> dict[str, Any]:
    finding = item.finding
    return {
        "new": item.new,
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "path": path_text(finding.path),
        "suggestion": finding.suggestion,
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "unit": KPI_MEANINGS[effect.kpi].unit,
        "old": interval(effect.old.estimate),
        "new": interval(effect.new.estimate),
        "difference": interval(effect.difference),
        "mark": effect.mark,
        "equal_pairs": effect.equal,
        "bound": effect.bound or None,
    }
