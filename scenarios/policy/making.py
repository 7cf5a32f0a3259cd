"""From a claim as written to a claim as meant: what happens, how often, with what margin, under what name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scenarios.document.source import Place
from scenarios.policy.claims import (
    Aborted,
    Claim,
    FalselyAborted,
    Happening,
    Indicator,
    Missed,
    Often,
    Promoted,
    Rates,
    RatesOf,
)
from scenarios.policy.schema import OF_A_REPLICATION, WrittenClaim, WrittenPolicy, WrittenRelease
from scenarios.policy.sentence import sentence

WIDEST = 0.1
"""Of the margins that nobody wrote."""


def happenings(one: WrittenClaim) -> dict[str, Happening]:
    """Everything that a claim says happens, by its key; exactly one in a claim that is valid."""
    found: Mapping[str, Happening | None] = {
        "aborted": Aborted() if one.aborted else None,
        "aborted_within": None if one.aborted_within is None else Aborted(one.aborted_within),
        "promoted": Promoted() if one.promoted else None,
        "promoted_within": None if one.promoted_within is None else Promoted(one.promoted_within),
        "falsely_aborted": FalselyAborted() if one.falsely_aborted else None,
        "missed": Missed() if one.missed else None,
        **{kpi.value: getattr(one, kpi.value) for kpi in OF_A_REPLICATION},
    }
    return {key: value for key, value in found.items() if value is not None}


def often_of(one: WrittenClaim) -> Often | None:
    """How often; None where a mean is meant."""
    if one.in_at_least is not None:
        return Often(one.in_at_least)
    return None if one.in_at_most is None else Often(one.in_at_most, at_least=False)


def release_name(one: WrittenRelease) -> str:
    """What a release is called: by the policy, or after what is wrong with it."""
    errors = "" if one.errors is None else f"errors-{100 * one.errors:g}pct"
    slower = "" if one.latency_factor is None else f"latency-x{one.latency_factor:g}"
    other = "own" if one.behaviour is not None and not (errors or slower) else ""
    return one.name or "-".join(filter(None, (errors, slower, other)))


def rates_of(written: WrittenPolicy, claims: int) -> Rates:
    """The error rates of one of so many claims."""
    rates = written.error_rates
    parts = max(claims, 1) if rates.of is RatesOf.POLICY else 1
    return Rates(rates.false_pass / parts, rates.false_fail / parts, rates.left_open)


def tolerance_of(one: WrittenClaim, written: WrittenPolicy) -> float:
    """How far short of its bound the claim may pass; 0 for a mean, and where it says how near is too near."""
    if one.tolerance is not None:
        return one.tolerance
    return written.tolerance or 0.0 if one.margin is None and not one.mean else 0.0


def claim_of(one: WrittenClaim, written: WrittenPolicy, rates: Rates, world: int, place: Place) -> Claim:
    """The claim about one world, named after itself where it has no name."""
    ((_, happening),) = happenings(one).items()
    often = often_of(one)
    margin = default_margin(happening, often) if one.margin is None else one.margin
    tolerance = tolerance_of(one, written)
    most = written.max_replications if one.max_replications is None else one.max_replications
    release = release_name(one.release)
    claim = Claim(one.name, world, release, happening, often, margin, rates, most, one.traffic, tolerance, place)
    return replace(claim, name=claim.name or sentence(claim))


def default_margin(happening: Happening, often: Often | None) -> float:
    """Four fifths of the way to 0 or 1, at most ten points; of a mean a twentieth of its bound."""
    if often is None:
        return abs(happening.value) / 20 if isinstance(happening, Indicator) else 0.0
    return min(WIDEST, 0.8 * min(often.kept, 1 - often.kept))
