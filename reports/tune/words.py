"""A tuning in sentences, shared by every output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from reports.numbers import interval_text, number
from reports.statistics import Estimate
from reports.tune.card import Asked, Claim, Fate, HeldOut, Tried, Tuning
from reports.tune.front import dominates
from reports.tune.measures import Objective
from sim.model.kpis import KPI_MEANINGS, Kpi

_NAMES = {Kpi.DEPLOYMENT_DURATION: "deployment", Kpi.TIME_TO_DETECT: "time to detection"}
_MET = {True: "kept", False: "BROKEN", None: "undecided"}


def name_of(objective: Objective) -> str:
    """An objective's measure in words: ``failed requests (errors-5)``."""
    measure = objective.measure
    of = ", ".join(part for part in (measure.release, measure.stat if measure.stat != "mean" else "") if part)
    base = _NAMES.get(measure.kpi, measure.kpi.value.replace("_", " "))
    return f"{base} ({of})" if of else base


def about_text(tuning: Tuning) -> str:
    """What was searched, how far."""
    asked = tuning.asked
    fates = Counter(one.fate for one in tuning.tried)
    early = fates[Fate.INFEASIBLE] + fates[Fate.DOMINATED]
    others = sum(one.beside is not None for one in tuning.tried)
    more = f" and {others} more with other limits or thresholds" if others else ""
    parts = [f"{len(tuning.tried) - others} settings of {_plural(len(asked.space), 'parameter')}{more}"]
    parts.append(f"up to {asked.looks[-1]} replications each of {', '.join(asked.releases)}, seed {asked.seed}")
    parts += [f"{early} stopped early without doubt"] if early else []
    parts += [f"{fates[Fate.REFUSED]} refused"] if fates[Fate.REFUSED] else []
    return "; ".join(parts)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def headlines(tuning: Tuning) -> Iterator[str]:
    """What to know first."""
    if tuning.unfinished:
        proposed = sum(one.beside is None for one in tuning.tried)
        yield f"{tuning.unfinished}: {proposed} of {tuning.asked.trials} settings were tried; the same command goes on."
    if tuning.knee is None:
        yield from _nothing(tuning)
        return
    yield _choice(tuning, tuning.knee)
    yield from _claims(tuning)
    yield from _trades(tuning, tuning.knee)


def _nothing(tuning: Tuning) -> Iterator[str]:
    asked = tuning.asked
    if not tuning.tried:
        yield "Nothing was tried."
        return
    yield "No setting tried keeps to every constraint, so there is no policy to propose."
    judged = [one for one in tuning.tried if one.violations and one.fate is not Fate.REFUSED]
    for place, constraint in enumerate(asked.constraints):
        broken = sum(one.violations[place] > 0 for one in judged)
        if broken:
            yield f"{constraint.text} is broken by {broken} of {len(judged)}."
    if judged:
        yield _nearest(asked, min(judged, key=lambda one: sum(one.violations)))
    refused = [one for one in tuning.tried if one.fate is Fate.REFUSED]
    if refused:
        yield f"{len(refused)} settings were refused, for example: {refused[0].said}"
    yield "Widen the ranges, relax a constraint, or ask rolltwin power which traffic the gates need."


def _nearest(asked: Asked, one: Tried) -> str:
    """The setting that breaks least, and what it breaks."""
    parts = [
        f"{item.text} ({interval_text(estimate, item.measure.unit)})"
        for item, estimate, violation in zip(asked.constraints, one.constraints, one.violations, strict=True)
        if violation > 0
    ]
    changed = ", ".join(f"{name}={value}" for name, value in one.settings)
    return f"Nearest is setting {one.index} ({one.origin}), which breaks {' and '.join(parts)}: {changed}."


def _choice(tuning: Tuning, knee: Tried) -> str:
    of = _standing(tuning, knee)
    where = "" if len(tuning.front) < 3 else ", nearest to the best of each objective as a share of the front's range"
    changed = sum(
        value != written for (_, value), (_, _, written, _) in zip(knee.settings, tuning.asked.space, strict=True)
    )
    if not changed:
        return f"The policy as written (setting {knee.index}) is the one to keep: {of}{where}."
    return f"Chosen: setting {knee.index} ({knee.origin}), {of}{where}. It changes {_plural(changed, 'value')}."


def point(asked: Asked, one: Tried) -> tuple[float, ...]:
    """Its objectives, less is better."""
    pairs = zip(asked.objectives, one.objectives, strict=True)
    return tuple(item.sign * (estimate.mean or 0.0) for item, estimate in pairs)


def _standing(tuning: Tuning, knee: Tried) -> str:
    """How the choice stands to the others, without a claim about those that nobody looked at closely."""
    if len(tuning.front) > 1:
        return f"one of {len(tuning.front)} settings that none betters in everything"
    others = [
        one
        for one in tuning.tried
        if one.feasible
        and one.index != knee.index
        and not dominates(point(tuning.asked, knee), point(tuning.asked, one))
        and point(tuning.asked, knee) != point(tuning.asked, one)
    ]
    unknown = [one for one in others if one.replications < knee.replications]
    if unknown:
        return f"the only one that stood a closer look; {_plural(len(unknown), 'other')} were not looked at closely"
    if others:
        return "better than every other feasible setting in something beyond doubt, and worse in nothing"
    return "better than every other feasible setting in everything"


def _claims(tuning: Tuning) -> Iterator[str]:
    if tuning.held_out is None:
        return
    for claim in tuning.held_out.claims:
        yield claim_text(claim)


def claim_text(claim: Claim) -> str:
    """``kept: false_abort_rate<1%: 0 of 473 replications (0 .. 0.999 %); as written: undecided``."""
    measure = claim.constraint.measure
    found = interval_text(claim.estimate, measure.unit)
    if measure.quantile is not None:
        found += f", in {claim.kept} of {claim.of} replications"
    elif claim.broken is not None:
        found = _ends(claim.broken)
    text = f"{_MET[claim.met]}: {claim.constraint.text}: {found}"
    before = {True: "kept", False: "broken", None: "undecided"}[claim.before]
    return f"{text}; as written: {before}"


def _ends(share: Estimate) -> str:
    """``0 of 473 replications (0 .. 0.999 %)``: digits enough to tell the end from the limit."""
    lo, hi = (100 * (end or 0.0) for end in (share.lo, share.hi))
    return f"{round((share.mean or 0.0) * share.n)} of {share.n} replications ({lo:.3g} .. {hi:.3g} %)"


def _trades(tuning: Tuning, knee: Tried) -> Iterator[str]:
    """What the neighbours on the front would give and cost."""
    asked = tuning.asked
    if len(asked.objectives) != 2 or len(tuning.front) < 2:
        return
    place = next(index for index, one in enumerate(tuning.front) if one.index == knee.index)
    for other in (*tuning.front[max(0, place - 1) : place], *tuning.front[place + 1 : place + 2]):
        yield _trade(asked, knee, other)


def _trade(asked: Asked, knee: Tried, other: Tried) -> str:
    better, worse = sorted(range(2), key=lambda index: asked.objectives[index].sign * _gap(knee, other, index))
    gain, cost = (asked.objectives[index] for index in (better, worse))
    return (
        f"Its neighbour, setting {other.index}, would better {name_of(gain)} by "
        f"{_amount(gain, _gap(knee, other, better))} at the cost of {_amount(cost, _gap(knee, other, worse))} of {name_of(cost)}."
    )


def _gap(knee: Tried, other: Tried, index: int) -> float:
    return (other.objectives[index].mean or 0.0) - (knee.objectives[index].mean or 0.0)


def _amount(objective: Objective, gap: float) -> str:
    return number(abs(gap), KPI_MEANINGS[objective.measure.kpi].unit)


def setting_rows(tuning: Tuning) -> list[tuple[str, str, str, str]]:
    """(name, as written, chosen, place) of every value that changes, in the order of the files."""
    chosen = dict(tuning.knee.settings) if tuning.knee is not None else {}
    return [
        (name, written or "(not written)", chosen[name], place)
        for name, _, written, place in tuning.asked.space
        if name in chosen and chosen[name] != written
    ]


def row_cells(tuning: Tuning) -> list[tuple[str, str, str, str]]:
    """(measure, before, after, difference) on held-out releases."""
    rows = () if tuning.held_out is None else tuning.held_out.rows
    return [
        (
            row.measure.text,
            interval_text(row.before, row.measure.unit),
            interval_text(row.after, row.measure.unit),
            _signed(row.difference, row.measure.unit),
        )
        for row in rows
    ]


def _signed(estimate: Estimate, unit: str) -> str:
    text = interval_text(estimate, unit)
    return f"+{text}" if estimate.mean is not None and estimate.mean > 0 else text


def front_rows(tuning: Tuning) -> list[tuple[str, ...]]:
    """A line for each setting of the front, and the policy as written."""

    def line(mark: str, one: Tried) -> tuple[str, ...]:
        pairs = zip(tuning.asked.objectives, one.objectives, strict=True)
        values = [interval_text(estimate, objective.measure.unit) for objective, estimate in pairs]
        limits = zip(tuning.asked.constraints, one.constraints, strict=True)
        return mark, one.origin, *values, *(interval_text(estimate, item.measure.unit) for item, estimate in limits)

    knee = tuning.knee.index if tuning.knee is not None else None
    lines = [line(f"{one.index}{' chosen' if one.index == knee else ''}", one) for one in tuning.front]
    return [*lines, line("-", tuning.written)]


def front_heads(asked: Asked) -> tuple[str, ...]:
    """Heads of ``front_rows``."""
    return (
        "setting",
        "tried as",
        *(item.measure.text for item in asked.objectives),
        *(item.measure.text for item in asked.constraints),
    )


def importance_rows(tuning: Tuning, most: int = 5) -> list[tuple[str, str]]:
    """(objective, the parameters that mattered most)."""
    return [
        (item.objective.measure.text, ", ".join(f"{name} {100 * share:.0f} %" for name, share in item.shares[:most]))
        for item in tuning.importances
    ]


def method_text(tuning: Tuning) -> str:
    """How far to trust it."""
    asked = tuning.asked
    first = (
        f"All settings met the same {asked.looks[-1]} releases of each kind (common random numbers)"
        f"{_stopping(asked.looks[:-1])}."
    )
    if tuning.held_out is None:
        return first
    found = tuning.held_out
    return (
        f"{first} The best of many estimates is partly luck, so figures of the front flatter; the held-out ones do not: "
        f"{_counts(found)} (seed {found.seed}) that no choice was made by; the policy as written met the "
        f"first {found.pairs} of them.{_followed(found)} "
        f"Intervals: {100 * asked.level:g} % each, not jointly. They hold for this scenario's traffic, releases and people."
    )


def _counts(found: HeldOut) -> str:
    """``477 fresh releases of each kind``, or how many of which."""
    counts = dict(found.replications)
    if len(set(counts.values())) == 1:
        return f"{next(iter(counts.values())):,} fresh releases of each kind"
    return "fresh releases, " + " and ".join(f"{count:,} of {kind}" for kind, count in counts.items()) + ","


def _followed(found: HeldOut) -> str:
    if not found.most:
        return ""
    return f" What is said of caps on shares holds however often one looks: releases were added until it was decided (to {found.most:,} at most)."


def _stopping(looks: Sequence[int]) -> str:
    if not looks:
        return ""
    return (
        f", and were stopped after {', '.join(map(str, looks))} where a 99 % interval left no doubt that they break a "
        "constraint, or that a complete setting is better in every objective, pair by pair; each look may err"
    )


def refusals(tried: Sequence[Tried]) -> list[tuple[str, int]]:
    """What was said to settings that were refused, and to how many."""
    return Counter(one.said for one in tried if one.fate is Fate.REFUSED).most_common(3)
