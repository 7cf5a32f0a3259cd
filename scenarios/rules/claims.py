"""Codes under which a gate reports claims to code scanners and annotations."""

from __future__ import annotations

from scenarios.findings import Severity
from scenarios.rules.rule import Rule

FAILED = Rule(
    "RT820", "claim-failed", Severity.ERROR,
    "rolltwin gate: a claim of the policy does not hold, at its stated error rate.",
    "replay the replication that is named, and change the gate, the traffic or the claim",
)  # fmt: skip
UNDECIDED = Rule(
    "RT821", "claim-undecided", Severity.WARNING,
    "rolltwin gate: neither that a claim holds nor that it does not could be shown; it has not passed.",
    "allow more replications or a smaller margin if it is too close to call, or change the claim",
)  # fmt: skip
RULES = (FAILED, UNDECIDED)
