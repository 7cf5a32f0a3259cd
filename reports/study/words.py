"""A study in words and cells: the same in text and Markdown."""

from __future__ import annotations

from math import inf, isinf

from reports import words
from reports.diff.card import Mark
from reports.diff.words import signed
from reports.numbers import digits, number
from reports.study.card import Compared, Reached, Row, StudyCard
from sim.model.kpis import KPI_MEANINGS, Kpi

_MANY = 1000
HEADS = ("Setting", "Value", "Difference", "Change", "Pairing")


def headlines(card: StudyCard) -> tuple[str, ...]:
    """What a reader with ten seconds must know."""
    refused = [row.setting.label for row in card.rows if _is_refused(row)]
    rejected = [f"Every release is rejected before it starts with {words.join(refused)}."] if refused else []
    changed = [line for row in card.rows if (line := _changed(card, row))]
    same = ["No setting is clearly better or worse than the baseline in anything shown."]
    return (*rejected, *(changed or same * (len(card.rows) > 1)), *map(wish_text, card.reached))


def _is_refused(row: Row) -> bool:
    return any(share.verdict.value == "rejected" and share.share.mean == 1 for share in row.score.verdicts)


def _changed(card: StudyCard, row: Row) -> str:
    """``pause=40s: better miss rate; worse deployment duration.``."""
    found = {
        mark: [
            words.KPI_NAMES[item.effect.kpi].lower()
            for item in row.compared
            if item.effect.mark is mark and item.effect.kpi in card.shown
        ]
        for mark in (Mark.BETTER, Mark.WORSE)
    }
    parts = [f"{mark.value} {words.join(names)}" for mark, names in found.items() if names]
    return f"{row.setting.label}: {'; '.join(parts)}." if parts else ""


def wish_text(item: Reached) -> str:
    """Whether a precision was reached: ``Time to detect is known to ±0.4 min (asked for: ±0.5 min)``."""
    kpi = item.wish.kpi
    unit, name = KPI_MEANINGS[kpi].unit, words.KPI_NAMES[kpi]
    asked = f"asked for: ±{_width(item.wish.half_width, unit)}"
    if item.half_width is None:
        return f"{name}: no replication has it ({asked})."
    if isinf(item.half_width):
        return f"{name}: too few replications, or values too unlike each other, to know how well it is known ({asked})."
    known = f"known to ±{_width(item.half_width, unit)}"
    return f"{name} is {known} ({asked})." if item.met else f"{name} is only {known}, of {item.label} ({asked})."


def _width(value: float, unit: str) -> str:
    text = number(value, unit)
    return text.replace("%", "points") if unit == "share" else text


def about_text(card: StudyCard) -> str:
    """What was replayed and how often."""
    effort, kinds = card.effort, len(card.rows[0].score.mix)
    count = "1 replication" if effort.replications == 1 else f"{effort.replications} replications"
    of = "one kind" if kinds == 1 else f"each of {kinds} kinds"
    return f"{count} of {of} of release in every setting, seed {effort.seed}"


def method_text(card: StudyCard) -> str:
    """How the figures came about."""
    effort = card.effort
    looks = (
        ""
        if len(effort.looks) == 1
        else f" The number of replications was not fixed: there might have been {len(effort.looks)} looks, the last after "
        f"{effort.looks[-1]} of them, and all intervals are wide enough that all looks together err in at most 5 of 100 cases."
    )
    pairs = (
        ""
        if len(card.rows) == 1
        else " All settings met the same releases, requests, delays and faults; differences are to the baseline, pair by pair. "
        "Pairing: how many times as many replications the same interval would take without that."
    )
    drawn = "" if card.aggregate_share is None else f" Requests: {words.plane_text(card.aggregate_share)}."
    return f"Intervals: {100 * effort.level:.4g} %, each for itself.{pairs}{looks}{drawn}"


def cells(card: StudyCard, row: Row, kpi: Kpi) -> tuple[str, ...]:
    """One line of an indicator's table, as ``HEADS`` say."""
    value = words.estimate_text(row.kpi(kpi))
    item = row.difference(kpi)
    if item is None:
        return row.setting.label, value, "baseline" if len(card.rows) > 1 else "", "", ""
    effect = item.effect
    difference = signed(effect.difference, KPI_MEANINGS[kpi].unit) if effect.difference.n else "-"
    told = f"{effect.bound} {difference}".strip() if difference != "-" else difference
    return row.setting.label, value, told, effect.mark.value, gain_text(item)


def gain_text(item: Compared) -> str:
    """``x 12``; ``all`` where every pair differs by the same; nothing where nothing is known."""
    if item.gain is None:
        return ""
    if item.gain == inf:
        return "all"
    return f"x {digits(item.gain)}" if item.gain < _MANY else f"over x {_MANY:,}"
