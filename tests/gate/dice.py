"""A twin that throws dice, and policies about it; importable by name, as worker processes need."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Any

from reports.findings import render
from scenarios.findings import BadInput
from scenarios.policy.claims import Policy
from scenarios.policy.load import load
from sim.model.records import DecisionRecord, RunResult, Verdict
from sim.model.scenario import Scenario
from tests.reports.builders import journal, run_result, traffic, weight

ABORT_S = 100.0
CANARY = Path(__file__).parent / "shop" / "canary.yaml"
MANIFESTS = CANARY.parent / "manifests"


def chance(scenario: Scenario, seed: int) -> float:
    """Uniform in [0, 1), the same for the same release and seed."""
    return int.from_bytes(blake2b(f"{scenario.release.name}/{seed}".encode(), digest_size=6).digest(), "big") / 2**48


def dice(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:  # noqa: ARG001 - as every run
    """Nine in ten bad releases are aborted, a tenth of the good ones; 10 requests fail, or 1000 where nobody aborts."""
    good = scenario.release.good
    aborted = chance(scenario, seed) < (0.1 if good else 0.9)
    verdict = Verdict.ABORTED if aborted else Verdict.PROMOTED
    decisions = [DecisionRecord(ABORT_S, "", "analysis", "abort", "the dice")] if aborted else []
    requests = traffic(60.0, "candidate", 2000, 10 if aborted else 1000)
    weights = [weight(0.0, 25.0), weight(ABORT_S, 0.0 if aborted else 100.0)]
    return run_result(journal(requests, *weights, *decisions, verdict=verdict, ended_s=ABORT_S, good=good))


def certain(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:  # noqa: ARG001 - as every run
    """Every bad release is aborted, and no good one."""
    good = scenario.release.good
    decisions = [] if good else [DecisionRecord(ABORT_S, "", "analysis", "abort", "sure")]
    verdict = Verdict.PROMOTED if good else Verdict.ABORTED
    requests = traffic(60.0, "candidate", 2000, 10)
    weights = [weight(0.0, 25.0), weight(ABORT_S, 100.0 if good else 0.0)]
    return run_result(journal(requests, *weights, *decisions, verdict=verdict, ended_s=ABORT_S, good=good))


def written(folder: Path, claims: str, head: str = "") -> Path:
    """A policy file about the corrected canary."""
    file = folder / "policy.yaml"
    lines = "\n".join(f"  - {line}" for line in claims.strip().splitlines())
    file.write_text(f"schema: rolltwin-policy/v1\nscenarios: [{CANARY}]\n{head}\nclaims:\n{lines}\n", encoding="utf-8")
    return file


def policy(folder: Path, claims: str, head: str = "") -> Policy:
    return load(written(folder, claims, head))


def refusal(file: Path, **options: Any) -> list[str]:
    """What is said of an invalid policy, with lines instead of paths."""
    try:
        load(file, **options)
    except BadInput as error:
        return [line.replace(f"{file}:", "") for line in render(error.findings, (), "text").splitlines()]
    return []
