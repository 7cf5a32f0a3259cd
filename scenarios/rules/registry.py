"""The table of every rule, in order of code, and the function that applies it."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.findings import Finding, ordered
from scenarios.manifests import Documents
from scenarios.rules import (
    aborts,
    argocd,
    blue_green,
    claims,
    durations,
    gates,
    ignored,
    judging,
    measuring,
    pods,
    providers,
    queries,
    reading,
    routers,
    runs,
    scenario,
    scripts,
    takeover,
    traffic,
    traps,
    unmodelled,
    validation,
    windows,
)
from scenarios.rules.context import Context
from scenarios.rules.rule import Hit, Rule, finding
from sim.model.controller import NEWEST, Controller
from sim.model.scenario import Scenario

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *reading.RULES,  # RT0xx
            *validation.RULES,  # RT1xx
            *runs.RULES,
            *providers.RULES,
            *judging.RULES,  # RT20x-RT22x
            *queries.RULES,  # RT23x-RT24x
            *gates.RULES,  # RT3xx
            *traffic.RULES,  # RT40x
            *unmodelled.RULES,  # RT41x
            *routers.RULES,
            *pods.RULES,  # RT42x
            *ignored.RULES,  # RT43x
            *argocd.RULES,  # RT5xx
            *windows.RULES,  # RT6xx
            *durations.RULES,  # RT7xx
            *scenario.RULES,  # RT80x
            *scripts.RULES,  # RT81x
            *claims.RULES,  # RT82x
            *aborts.RULES,  # RT90x
            *traps.RULES,  # RT91x
            *takeover.RULES,  # RT92x
            *measuring.RULES,  # RT93x
            *blue_green.RULES,  # RT94x
        ),
        key=lambda rule: rule.code,
    )
)


def check(
    documents: Documents,
    scenario: Scenario | None = None,
    scenario_file: str = "",
    controller: Controller = NEWEST,
) -> tuple[Finding, ...]:
    """Every finding about these documents, those made while reading included, in a stable order.

    With a *scenario*, its traffic, telemetry, targets and controller are taken into account.
    """
    context = Context(documents, scenario, controller if scenario is None else scenario.controller)
    found = [finding(rule, hit, scenario_file) for rule, hit in _hits(context)]
    return ordered((*documents.findings, *found))


def rule_of(code: str) -> Rule | None:
    """The rule with this code."""
    return next((rule for rule in RULES if rule.code == code), None)


def _hits(context: Context) -> Iterator[tuple[Rule, Hit]]:
    for rule in RULES:
        if rule.check is not None:
            for hit in rule.check(context):
                yield rule, hit
