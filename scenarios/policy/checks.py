"""What no single field of a policy can say of itself: whether a claim is one claim, can be decided, and fits its scenario."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from scenarios.document.fields import nearest
from scenarios.findings import Path
from scenarios.policy.claims import Aborted, Claim, FalselyAborted, Indicator, Missed, Promoted
from scenarios.policy.making import happenings, often_of, tolerance_of
from scenarios.policy.schema import WrittenClaim, WrittenPolicy
from sim.model.kpis import Kpi
from sim.model.scenario import Scenario
from sim.model.units import duration_text

Problem = tuple[Path, str, str]
_OF_BAD = {Kpi.TIME_TO_DETECT, Kpi.BAD_FULL_TRAFFIC_MINUTES}
"""Indicators that good releases do not have."""
_ROUNDING = 1e-9
"""Of shares."""


def alone(written: WrittenPolicy) -> Iterator[Problem]:
    """Everything that can be said without the scenarios."""
    for index, one in enumerate(written.claims):
        problems = (*_claim(one), *_tolerance(one, written))
        yield from (((("claims", index, *path)), message, hint) for path, message, hint in problems)


def repeated(names: list[tuple[Path, str]], what: str) -> Iterator[Problem]:
    """A problem for every name but the first of those that are the same."""
    for name, same in groupby(sorted(names, key=lambda item: item[1]), key=lambda item: item[1]):
        for path, _ in list(same)[1:]:
            yield path, f"two {what} are both named {name!r}", "give them names of their own: name: ..."


def _claim(one: WrittenClaim) -> Iterator[Problem]:
    found = happenings(one)
    if len(found) != 1:
        said = f"{len(found)}: {', '.join(found)}" if found else "none"
        hint = "such as aborted_within: 6m, promoted: true or failed_requests: <= 2000"
        yield (), f"a claim says one thing that happens (got {said})", hint
    shares = [name for name in ("in_at_least", "in_at_most") if getattr(one, name) is not None]
    if one.mean:
        yield from _mean(one, shares)
    elif len(shares) != 1:
        hint = "such as in_at_least: 99%, or mean: true for the mean of an indicator"
        yield (), f"how often? One of in_at_least, in_at_most is needed (got {' and '.join(shares) or 'none'})", hint
    else:
        yield from _share(one, shares[0])
    if not one.release.name and not one.release.own:
        yield (
            ("release",),
            "neither names a release nor says how it behaves",
            "such as release: errors-5, or {errors: 5%}",
        )


def _mean(one: WrittenClaim, shares: list[str]) -> Iterator[Problem]:
    if shares:
        yield (shares[0],), "a mean is over all replications: there is no share of them", "leave out mean or the share"
    for key, happening in happenings(one).items():
        if not isinstance(happening, Indicator):
            yield (key,), "has no mean; only indicators have", "such as failed_requests: <= 2000"


def _share(one: WrittenClaim, name: str) -> Iterator[Problem]:
    often = often_of(one)
    if often is None:
        return
    if not 0 < often.share < 1:
        hint = "such as 99.9% or 0.1%"
        yield (name,), f"no number of replications shows {100 * often.share:g} %", hint
    elif one.margin is not None and not 0 < one.margin < min(often.share, 1 - often.share):
        message = (
            f"must be above 0 and leave room on both sides of {100 * often.share:g} % (got {100 * one.margin:g} %)"
        )
        yield ("margin",), message, ""


def _tolerance(one: WrittenClaim, written: WrittenPolicy) -> Iterator[Problem]:
    own: Path = () if one.tolerance is None else ("tolerance",)
    tolerance, often = tolerance_of(one, written), often_of(one)
    if own and one.mean:
        yield own, "a mean has none", "write a margin, in the indicator's unit"
    elif own and one.margin is not None:
        yield (
            own,
            "a claim has either a tolerance or a margin",
            "a tolerance decides what lies near the bound, a margin leaves it undecided",
        )
    elif often is not None and 0 < often.share < 1 and tolerance > often.kept - _ROUNDING:
        share = 100 * often.share
        room = (
            f"must be below {share:g} %"
            if often.at_least
            else f"must be below {100 - share:g} %, what is left of {share:g} %"
        )
        hint = "" if own else "give the claim a tolerance of its own, or a margin"
        yield own, f"the tolerance {room} (got {100 * tolerance:g} %)", hint


def fitting(claim: Claim, scenario: Scenario) -> Iterator[Problem]:
    """Whether the claim can be asked of this scenario; paths begin at the claim."""
    known = {release.name: release for release in scenario.mix}
    release = known.get(claim.release)
    if release is None:
        names = tuple(known)
        hint = nearest(claim.release, names) or "named there: " + ", ".join(names)
        yield ("release",), f"{scenario.title!r} has no release named {claim.release!r}", hint
        return
    kind = "good" if release.good else "bad"
    match claim.happening:
        case FalselyAborted() if not release.good:
            yield ("falsely_aborted",), f"{release.name} is a {kind} release", "write aborted"
        case Missed() if release.good:
            yield ("missed",), f"{release.name} is a {kind} release", "write promoted"
        case Indicator(kpi=kpi) if kpi in _OF_BAD and release.good:
            yield (kpi.value,), f"does not apply to {release.name}, a {kind} release", ""
        case Aborted(within_s=within) | Promoted(within_s=within) if within is not None and within > scenario.horizon_s:
            key = "aborted_within" if isinstance(claim.happening, Aborted) else "promoted_within"
            message = f"{duration_text(within)} is beyond the horizon of {duration_text(scenario.horizon_s)}"
            yield (key,), message, "lengthen the scenario's horizon"
        case _:
            return
