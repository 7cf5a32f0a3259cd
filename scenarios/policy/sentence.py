"""Claims as sentences: ``errors-5 at 1000 rps is aborted within 6m in at least 99 %``; read and written."""

from __future__ import annotations

import re
from typing import Any

from scenarios.policy.claims import Aborted, Claim, FalselyAborted, Happening, Indicator, Missed, Often, Promoted
from sim.model.kpis import KPI_MEANINGS
from sim.model.units import duration_text

SHAPES = (
    "RELEASE [at N rps] is aborted [within TIME] in at least|at most SHARE [(tolerance SHARE)]",
    "RELEASE ... is promoted [within TIME] in ...",
    "RELEASE ... is falsely aborted in at most SHARE",
    "RELEASE ... is missed in at most SHARE",
    "RELEASE ... has INDICATOR <=|<|>=|> VALUE in ...",
    "RELEASE ... has mean INDICATOR <=|<|>=|> VALUE",
)
_SENTENCE = re.compile(
    r"(?P<release>\S+)"
    r"(?: at (?P<traffic>[\d,.]+) ?(?:rps|/s|requests/s))?"
    r" (?P<what>.+?)"
    r"(?: in at (?P<side>least|most) (?P<share>[\d.]+) ?%(?: of (?:the )?replications)?"
    r"(?: \(tolerance (?P<tolerance>[\d.]+) ?(?:%|points?)\))?)?\.?"
)
_WHAT: tuple[tuple[re.Pattern[str], dict[str, Any]], ...] = (
    (re.compile(r"is aborted within (?P<aborted_within>\S+)"), {}),
    (re.compile(r"is aborted"), {"aborted": True}),
    (re.compile(r"is promoted within (?P<promoted_within>\S+)"), {}),
    (re.compile(r"is promoted"), {"promoted": True}),
    (re.compile(r"is falsely aborted"), {"falsely_aborted": True}),
    (re.compile(r"is missed"), {"missed": True}),
)
_INDICATOR = re.compile(r"has (?P<mean>mean )?(?P<kpi>[a-z_]+) (?P<bound>[<>]=? ?\S.*)")


def claim_of(text: str) -> dict[str, Any]:
    """The fields of the claim that a sentence makes; ValueError, with the shapes there are, for any other text."""
    found = _SENTENCE.fullmatch(" ".join(text.split()))
    fields = None if found is None else _what(found["what"])
    if found is None or fields is None:
        msg = "no sentence of the form " + "; ".join(SHAPES)
        raise ValueError(msg)
    fields["release"] = found["release"]
    if found["traffic"]:
        fields["traffic"] = float(found["traffic"].replace(",", ""))
    if found["share"]:
        fields[f"in_at_{found['side']}"] = f"{found['share']}%"
    if found["tolerance"]:
        fields["tolerance"] = f"{found['tolerance']}%"
    return fields


def _what(text: str) -> dict[str, Any] | None:
    for pattern, constant in _WHAT:
        if found := pattern.fullmatch(text):
            return {**constant, **found.groupdict()}
    if found := _INDICATOR.fullmatch(text):
        return {found["kpi"]: found["bound"], **({"mean": True} if found["mean"] else {})}
    return None


def sentence(claim: Claim) -> str:
    """The claim as a sentence, which ``claim_of`` reads."""
    traffic = "" if claim.traffic_rps is None else f" at {claim.traffic_rps:,.12g} rps"
    happens = happening_text(claim.happening, mean=claim.often is None)
    tolerance = f" (tolerance {points_text(claim.tolerance)})" if claim.tolerance else ""
    return f"{claim.release}{traffic} {happens}{often_text(claim.often)}{tolerance}"


def often_text(often: Often | None) -> str:
    """`` in at least 99 %``; nothing for a mean."""
    return "" if often is None else f" in at {'least' if often.at_least else 'most'} {share_text(often.share)}"


def points_text(share: float) -> str:
    """``0.04 -> 4 points``."""
    return f"{100 * share:.6g} point{'' if share == 0.01 else 's'}"


def share_text(share: float) -> str:
    """``0.995 -> 99.5 %``."""
    return f"{100 * share:.6g} %"


def happening_text(happening: Happening, *, mean: bool = False) -> str:
    """What happens: ``is aborted within 6m``, ``has failed_requests <= 2,000``."""
    match happening:
        case Aborted(within_s=within):
            return "is aborted" + ("" if within is None else f" within {duration_text(within)}")
        case Promoted(within_s=within):
            return "is promoted" + ("" if within is None else f" within {duration_text(within)}")
        case FalselyAborted():
            return "is falsely aborted"
        case Missed():
            return "is missed"
        case Indicator():
            return (
                f"has {'mean ' if mean else ''}{happening.kpi.value} {happening.relation.value} {bound_text(happening)}"
            )


def bound_text(indicator: Indicator) -> str:
    """The bound with its unit, as a policy would write it."""
    unit = KPI_MEANINGS[indicator.kpi].unit
    if unit in {"min", "h"} and indicator.value >= 0:
        return duration_text(indicator.value * (60 if unit == "min" else 3600))
    if unit == "share":
        return f"{100 * indicator.value:.12g}%"
    return f"{indicator.value:,.12g}"
