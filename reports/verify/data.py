"""The comparison as JSON: what scripts read."""

from __future__ import annotations

from typing import Any

from reports.json_ import FORMAT, indented
from reports.verify.agreement import Agreement
from reports.verify.card import PairingComparison, RunComparison, Verification
from reports.verify.facts import Decision
from reports.verify.series import Deviation


def verification_json(found: Verification) -> str:
    """The comparison as an indented JSON object; equal comparisons give equal text."""
    return indented(verification_data(found))


def verification_data(found: Verification) -> dict[str, Any]:
    """The comparison as plain JSON data. Times in seconds, errors twin minus cluster, shares from 0 to 1."""
    asked = found.thresholds
    return {
        "format": FORMAT,
        "version": found.about.version,
        "answer": found.answer,
        "replications": found.replications,
        "seed": found.seed,
        "agreement": {
            "verdict": _agreement(found.verdicts),
            "step": _agreement(found.steps),
            "step_not_near_a_threshold": _agreement(found.clear_steps),
            "reason": _agreement(found.causes),
        },
        "coverage": [
            {"measure": item.measure, "inside": item.inside, "of": item.of,
             "interval": None if item.bounds is None else [item.bounds.lo, item.bounds.hi]}
            for item in found.coverage
        ],
        "scenarios": [_pairing(pairing) for pairing in found.pairings],
        "thresholds": {
            "time_to_decision": {"relative": asked.time.relative, "absolute_s": asked.time.absolute_s},
            "load": None if asked.load is None else {"relative": asked.load.relative, "deviations": asked.load.deviations},
            "latency_distance": asked.latency_distance,
            "replications": asked.replications,
            "near_threshold": {"verdict_share": asked.near.verdict_share, "scenarios": list(asked.near.scenarios)},
        },
        "command": found.about.command,
    }  # fmt: skip


def _agreement(found: Agreement) -> dict[str, Any]:
    return {
        "same": found.same,
        "of": found.of,
        "interval": None if found.bounds is None else [found.bounds.lo, found.bounds.hi],
        "kappa": found.kappa,
        "why_no_kappa": found.why_no_kappa or None,
    }


def _pairing(found: PairingComparison) -> dict[str, Any]:
    pairing = found.pairing
    return {
        "name": pairing.name,
        "title": pairing.title,
        "release": pairing.release,
        "good": pairing.good,
        "near_threshold": pairing.near,
        "compression": pairing.compression,
        "statements": list(pairing.statements),
        "answer": found.answer,
        "twin": {
            "decision": _decision(found.decision, found.place),
            "replications": len(pairing.twin),
            "endings": [
                {"verdict": verdict, "step": step or None, "share": share} for verdict, step, share in found.steps
            ],
        },
        "runs": [_run(run) for run in found.runs],
    }


def _decision(decision: Decision, place: str) -> dict[str, Any]:
    return {
        "verdict": decision.verdict,
        "step_index": decision.step,
        "step": place or None,
        "causes": list(decision.causes),
    }


def _run(run: RunComparison) -> dict[str, Any]:
    facts, time = run.run.facts, run.time
    return {
        "run": run.run.label,
        "seed": facts.seed,
        "conditions": dict(run.run.stated),
        "decision": _decision(facts.decision, facts.place),
        "reason": facts.reason,
        "same": {"verdict": run.same_verdict, "step": run.same_step, "reason": run.same_causes},
        "share_of_twin": {"verdict": run.verdict_share, "verdict_and_step": run.decision_share},
        "compared_with": run.kin,
        "time_to_decision": None if time is None else {
            "cluster_s": time.cluster_s, "twin_s": time.twin_s, "interval_s": [time.low_s, time.high_s],
            "replications": time.of, "error_s": time.error_s, "relative": time.relative,
        },
        "weights": _deviation(run.weights),
        "ready_pods": {side: _deviation(apart) for side, apart in run.ready},
        "latency": {
            side: {"distance": ks.distance, "twin": ks.twin, "cluster": ks.cluster} for side, ks in run.latency
        },
        "covered": [
            {"measure": cover.measure, "value": cover.value, "interval": [cover.low, cover.high], "inside": cover.inside}
            for cover in run.covers
        ],
        "checks": [{"check": check.name, "answer": check.answer, "why": check.why} for check in run.checks],
    }  # fmt: skip


def _deviation(found: Deviation | None) -> dict[str, float] | None:
    return None if found is None else {"most": found.most, "mean": found.mean, "shift_s": found.shift_s}
