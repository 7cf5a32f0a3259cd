"""What changed, in words: the same in text, Markdown and HTML."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from reports import words
from reports.diff.card import Diff, Effect, Mark, Relocation, TargetEffect, Timing, Transition
from reports.numbers import digits, number, scale
from reports.statistics import Estimate
from scenarios.changes import Change, Comparison
from scenarios.findings import Severity
from sim.model.kpis import KPI_MEANINGS, Kpi
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, RollingUpdate, kind_of

ARROW = "\N{RIGHTWARDS ARROW}"
_ANSWERS = {True: "newly met", False: "newly missed", None: "no longer certain"}
_LONG = 160
_FEW = 5


def headlines(diff: Diff) -> tuple[str, ...]:
    """What a reader with ten seconds must know, the worst first."""
    if diff.policies.same:
        return (*alarms(diff), *_nothing(diff))
    found = (
        *alarms(diff),
        *_nothing(diff),
        *(transition_text(item) + "." for item in diff.changed),
        *_marked(diff, Mark.WORSE, "Clearly worse"),
        *_marked(diff, Mark.BETTER, "Clearly better"),
        *_marked(diff, Mark.UNDECIDED, "Undecided"),
        *_targets(diff),
    )
    return tuple(sentence for sentence in found if sentence)


def alarms(diff: Diff) -> tuple[str, ...]:
    """What makes all the rest moot: a side that is refused, worlds that differ."""
    return tuple(sentence for sentence in (*_refused(diff), *_unfair(diff)) if sentence)


def about_text(diff: Diff) -> str:
    """What was replayed and how often: one sentence."""
    policies, effort = diff.policies, diff.effort
    old, new = strategy_text(policies.old), strategy_text(policies.new)
    kinds = len({item.release for item in diff.transitions})
    what = old if old == new else f"{old} {ARROW} {new}"
    count = "1 replication" if effort.replications == 1 else f"{effort.replications} replications"
    of = "one kind" if kinds == 1 else f"each of {kinds} kinds"
    return f"{what}; {count} of {of} of release on both sides, seed {effort.seed}"


def strategy_text(scenario: Scenario) -> str:
    """What was replayed: ``Rollout shop``, ``Deployment shop``, or the kind of strategy."""
    match scenario.strategy:
        case ArgoRollout(name):
            return f"Rollout {name}"
        case RollingUpdate(name):
            return f"Deployment {name}"
        case other:
            return f"strategy {kind_of(other)}"


def world_text(policies: Comparison) -> str:
    """Whether both meet one world; '' if they came with the same."""
    if not policies.world:
        return ""
    count = len(policies.world)
    fields = f"{count} field{'s differ' if count != 1 else ' differs'}"
    if policies.world_of:
        return f"The two worlds differ ({fields}); both are replayed in that of {policies.world_of.upper()}."
    return (
        f"NOT THE SAME WORLD: {fields}, so what follows is not due to the policy alone. "
        "--world old (or new) replays both in one."
    )


def change_text(change: Change) -> str:
    """``10m → 5m``; ``added`` or ``removed`` in front of what is on one side only."""
    if change.where and change.old is None:
        return f"added: {shorten(change.new or '')}"
    if change.where and change.new is None:
        return f"removed: {shorten(change.old or '')}"
    if change.old is None or change.new is None:
        return change.old or change.new or ""
    return f"{shorten(change.old)} {ARROW} {shorten(change.new)}"


def shorten(text: str) -> str:
    """The text, cut in its middle if longer than a reader wants; the JSON has all of it."""
    half = _LONG // 2 - 2
    return text if len(text) <= _LONG else f"{text[:half]} … {text[-half:]}"


def place_text(change: Change) -> str:
    """``old.yaml:3 → new.yaml:4``; one of them where the other is not there."""
    return f" {ARROW} ".join(place for place in (change.old_place, change.new_place) if place)


def transition_text(item: Transition) -> str:
    """``errors-5 (bad): 3 of 40 aborted → promoted``."""
    return f"{kind_text(item.release, good=item.good)}: {change_of_verdict(item)}"


def change_of_verdict(item: Transition) -> str:
    """``3 of 40 aborted → promoted``."""
    return f"{item.count} of {item.of} {item.old.value} {ARROW} {item.new.value}"


def kind_text(release: str, *, good: bool) -> str:
    """``errors-5 (bad)``; not ``good (good)``."""
    kind = "good" if good else "bad"
    return release if release == kind else f"{release} ({kind})"


def relocation_text(item: Relocation) -> str:
    """``40 of 40 still aborted: gate a (Failed) in step 2 → gate b (Failed) in step 2``."""
    return f"{item.count} of {item.of} still {item.verdict.value}: {shorten(item.old)} {ARROW} {shorten(item.new)}"


def timing_text(item: Timing) -> str:
    """``errors-5 aborted after 1.5 min → 2.5 min: +1 min (0.9 .. 1.1)``."""
    return (
        f"{item.release} {item.verdict.value} after {number(item.old_min, 'min')} {ARROW} {number(item.new_min, 'min')}: "
        f"{signed(item.difference, 'min')}"
    )


def replay_text(diff: Diff, item: Transition) -> str:
    """The command that replays the first pair of this kind on both sides."""
    return f"{diff.replay} {shlex.quote(f'{item.release}:{item.seed}')}"


def signed(estimate: Estimate, unit: str) -> str:
    """A difference with its interval: ``+1.2 min (0.8 .. 1.6)``; of shares in percentage points."""
    if estimate.mean is None:
        return "-"
    used = scale(estimate.mean or max(abs(estimate.lo or 0.0), abs(estimate.hi or 0.0)), unit)
    name = "points" if used.unit == "%" else used.unit
    text = f"{_sign(estimate.mean * used.factor, used.places)} {name}".rstrip()
    if estimate.lo is None or estimate.hi is None:
        return text
    low, high = (_sign(bound * used.factor, used.places) for bound in (estimate.lo, estimate.hi))
    return f"{text} ({low} .. {high})"


def effect_cells(effect: Effect) -> tuple[str, str, str, str, str]:
    """Name, old mean, new mean, difference with interval, mark."""
    unit = KPI_MEANINGS[effect.kpi].unit
    difference = signed(effect.difference, unit) if effect.difference.n else "-"
    return (
        words.KPI_NAMES[effect.kpi],
        words.mean_text(effect.old),
        words.mean_text(effect.new),
        f"{effect.bound} {difference}".strip() if difference != "-" else difference,
        effect.mark.value,
    )


def target_text(item: TargetEffect) -> str:
    """``Time to detect ≤ 2 min (objective): newly missed``."""
    bound = words.bound_text(item.target)
    return f"{words.KPI_NAMES[item.target.kpi]} {bound} ({item.target.period}): {_ANSWERS[item.new]}"


def findings_text(policies: Comparison) -> str:
    """``1 new error, 2 errors resolved``; ``no change`` if there is none."""
    parts = [
        f"{count} {severity.value}{'s' if count != 1 else ''} {word}"
        for new, word in ((True, "new"), (False, "resolved"))
        for severity in Severity
        if (count := sum(c.new is new and c.finding.severity is severity for c in policies.findings))
    ]
    return ", ".join(parts) or "no change"


def unchanged_text(diff: Diff, release: str) -> str:
    """How releases of this kind end under both policies alike: ``37 aborted``; '' if none does."""
    same = [item for item in diff.transitions if item.release == release and not item.changed]
    return words.join([f"{item.count} {item.old.value}" for item in same]) if same else ""


def kinds(diff: Diff) -> tuple[tuple[str, bool, int], ...]:
    """(name, good, pairs) of every kind of release."""
    return tuple(dict.fromkeys((item.release, item.good, item.of) for item in diff.transitions))


def method_text(diff: Diff) -> str:
    """How the figures came about."""
    effort = diff.effort
    looks = (
        ""
        if len(effort.looks) == 1
        else f" The number of replications was not fixed: after {words.join([str(n) for n in effort.looks])} of them it was "
        "asked whether anything is undecided, and all intervals are wide enough to allow for that."
    )
    return (
        "Both policies met the same releases, requests, delays and faults; differences are new minus old, pair by pair, with "
        f"{100 * effort.level:.4g} % intervals. Worse or better: the whole interval says so. No change: equal in every pair. "
        f"No clear change: the whole interval is within 1 % (shares: one percentage point). Undecided: the rest.{looks}"
    )


def _refused(diff: Diff) -> Sequence[str]:
    old, new = diff.refused
    if new and not old:
        return [f"NEW IS REFUSED: no release would start any more. {new}"]
    if old and not new:
        return [f"OLD is refused, NEW is accepted: no release ever started. {old}"]
    return [f"Both versions are refused. {new}"] if new else []


def _unfair(diff: Diff) -> Sequence[str]:
    if not diff.left_out:
        return [world_text(diff.policies)]
    names = words.join(list(diff.left_out))
    return [world_text(diff.policies), f"Kinds of release that only one of the worlds has are not replayed: {names}."]


def _nothing(diff: Diff) -> Sequence[str]:
    pairs = sum(of for _, _, of in kinds(diff))
    if diff.policies.same:
        return [f"No change: the model reads nothing that was changed, and {_all_equal(pairs)}."]
    if diff.changed or any(effect.mark not in {Mark.EQUAL, Mark.NO_DATA} for effect in diff.effects):
        return []
    return [f"No change in decisions or indicators: {_all_equal(pairs)}."]


def _all_equal(pairs: int) -> str:
    return f"all {pairs} pairs of replays are equal" if pairs != 1 else "the one pair of replays is equal"


def _marked(diff: Diff, mark: Mark, lead: str) -> Sequence[str]:
    found = diff.marked(mark)
    if mark is Mark.UNDECIDED and len(found) > _FEW:
        return [f"{lead}: {len(found)} of {len(diff.effects)} indicators; more --replications would tell."]
    if mark is Mark.UNDECIDED:
        return [f"{lead}: {words.join([_name(effect.kpi) for effect in found])}."] if found else []
    return [f"{lead}: {'; '.join(_effect(effect) for effect in found)}."] if found else []


def _effect(effect: Effect) -> str:
    _, old, new, difference, _ = effect_cells(effect)
    return f"{_name(effect.kpi)} {old} {ARROW} {new}, {difference}"


def _targets(diff: Diff) -> Sequence[str]:
    """The targets that count now, one sentence an answer; those of other periods stand below the indicators."""
    now = {score.kpi: score.target.period for effect in diff.effects for score in (effect.new,) if score.target}
    counting = [item for item in diff.targets if now.get(item.target.kpi) == item.target.period]
    said = ((answer, [_target(item) for item in counting if item.new is answer]) for answer in (False, None, True))
    return [f"Targets {_ANSWERS[answer]}: {words.join(names)}." for answer, names in said if names]


def _target(item: TargetEffect) -> str:
    return f"{_name(item.target.kpi)} {words.bound_text(item.target)}"


def _name(kpi: Kpi) -> str:
    return words.KPI_NAMES[kpi].lower()


def _sign(value: float, places: int) -> str:
    text = digits(value, places)
    return text if value <= 0 or text == "0" else f"+{text}"
