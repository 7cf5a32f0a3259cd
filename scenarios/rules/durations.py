"""RT7xx: how long a rollout takes, how soon it notices, and what nobody watches."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.findings import Severity
from scenarios.rules.context import Context, space
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.timeline import STEPS, Timeline, timelines
from scenarios.rules.tree import dig, mapping, sequence, whole
from scenarios.rules.uses import rollout_uses
from sim.decide.basic import approximate_split
from sim.decide.fenceposts import max_surge
from sim.model.kpis import Kpi, KpiTarget
from sim.model.units import duration_text

_MINUTE_S = 60.0


def too_long(context: Context) -> Iterator[Hit]:
    """Rollouts whose steps alone take longer than a declared target."""
    for line in _judged(context):
        for target in _targets(context, Kpi.DEPLOYMENT_DURATION):
            if _beyond(line.length_s / _MINUTE_S, target):
                message = (
                    f"the steps of Rollout {line.rollout.name!r} take at least {duration_text(line.length_s)}, of which "
                    f"{duration_text(line.pauses_s)} pauses; the target of {target.period} is {_bound(target)} min"
                )
                yield Hit(line.rollout, STEPS, message)


def too_slow_to_notice(context: Context) -> Iterator[Hit]:
    """Rollouts whose earliest verdict comes later than a declared target."""
    for line in _judged(context):
        first = line.earliest_abort_s
        for target in _targets(context, Kpi.TIME_TO_DETECT):
            if first is not None and _beyond(first / _MINUTE_S, target):
                message = (
                    f"Rollout {line.rollout.name!r} cannot turn against a bad version before {duration_text(first)} after its "
                    f"first request; the target of {target.period} is {_bound(target)} min"
                )
                yield Hit(line.rollout, STEPS, message)


def unwatched_pause(context: Context) -> Iterator[Hit]:
    """Timed pauses at which nothing measures."""
    for line in timelines(context):
        if not line.gates:
            continue
        blind = [s for s in line.steps if s.end_s > s.start_s and s.weight > 0 and not line.gates_at(s)]
        if blind:
            total = sum(step.end_s - step.start_s for step in blind)
            message = (
                f"{duration_text(total)} of the {duration_text(line.length_s)} of Rollout {line.rollout.name!r} are pauses in "
                f"which no analysis runs; the first is here, at {blind[0].weight:g} % of the traffic"
            )
            yield Hit(line.rollout, blind[0].path, message)


def unwatched_end(context: Context) -> Iterator[Hit]:
    """Rollouts whose last weight is never judged."""
    for line in timelines(context):
        top = max((step.weight for step in line.steps), default=0.0)
        at_top = [step for step in line.steps if step.weight == top]
        if not line.gates or not at_top or any(line.gates_at(step) for step in at_top):
            continue
        message = (
            f"no analysis of Rollout {line.rollout.name!r} runs at {top:g} %, its highest weight: faults that need full load "
            f"are promoted"
        )
        yield Hit(line.rollout, at_top[0].path, message)


def no_analysis(context: Context) -> Iterator[Hit]:
    """Canaries nobody judges: no analysis is written, whether or not its template exists, and nobody is waited for."""
    for line in timelines(context):
        judged = any(True for _ in rollout_uses(line.rollout)) or any(step.open_ended for step in line.steps)
        if not judged:
            message = (
                f"Rollout {line.rollout.name!r} shifts traffic by the clock: no analysis and no pause for a person"
            )
            yield Hit(line.rollout, STEPS, message)


def blue_green_unjudged(context: Context) -> Iterator[Hit]:
    """Blue-green Rollouts that switch without a look."""
    for rollout in context.of_kind("Rollout"):
        path = ("spec", "strategy", "blueGreen")
        block = mapping(rollout.data, *path)
        judged = "prePromotionAnalysis" in block or "postPromotionAnalysis" in block
        if block and not judged and block.get("autoPromotionEnabled") is not False:
            message = (
                f"Rollout {rollout.name!r} switches all traffic as soon as its pods are ready, without any analysis"
            )
            yield Hit(rollout, path, message)


def promotion_delay_ignored(context: Context) -> Iterator[Hit]:
    """``autoPromotionSeconds`` beside ``autoPromotionEnabled: false``."""
    for rollout in context.of_kind("Rollout"):
        path = ("spec", "strategy", "blueGreen")
        delay = whole(dig(rollout.data, *path, "autoPromotionSeconds"))
        if delay and dig(rollout.data, *path, "autoPromotionEnabled") is False:
            message = (
                f"autoPromotionSeconds: {delay} of Rollout {rollout.name!r} has no effect: automatic promotion is off"
            )
            yield Hit(rollout, (*path, "autoPromotionSeconds"), message)


def waits_for_people(context: Context) -> Iterator[Hit]:
    """Open-ended pauses."""
    for line in timelines(context):
        for step in line.steps:
            if step.open_ended:
                message = f"step {step.index + 1} of Rollout {line.rollout.name!r} waits until a person promotes it"
                yield Hit(line.rollout, (*step.path, "pause"), message)


def undo_replays(context: Context) -> Iterator[Hit]:
    """Rollouts whose undo goes through every step again."""
    for line in timelines(context):
        if line.length_s > 0 and not mapping(line.rollout.data, "spec", "rollbackWindow"):
            message = (
                f"undoing a completed release of Rollout {line.rollout.name!r} is a canary of its own: at least "
                f"{duration_text(line.length_s)} until the old version serves everybody"
            )
            yield Hit(line.rollout, STEPS, message)


def no_steps(context: Context) -> Iterator[Hit]:
    """Canary strategies without steps."""
    for rollout in context.of_kind("Rollout"):
        path = ("spec", "strategy", "canary")
        if isinstance(dig(rollout.data, *path), dict) and not sequence(rollout.data, *path, "steps"):
            yield Hit(rollout, path, f"canary Rollout {rollout.name!r} has no steps: it is a rolling update")


def unreachable_weights(context: Context) -> Iterator[Hit]:
    """Weights that pod counts cannot express where no router splits the traffic.

    The controller takes the nearest share of the replicas or, with any surge, of one pod more.
    """
    typed = {(spec.name, spec.namespace): spec for spec in context.manifests.rollouts}
    for rollout in context.of_kind("Rollout"):
        spec = typed.get((rollout.name, space(rollout)))
        if spec is None or spec.canary is None or spec.canary.traffic_routing is not None:
            continue
        for index, step in enumerate(sequence(rollout.data, *STEPS)):
            weight = whole(dig(step, "setWeight"))
            if weight is None or not 0 < weight < 100:
                continue
            canary, stable = approximate_split(spec.desired, weight, 100, max_surge(spec))
            total = canary + stable
            if total and 100 * canary != weight * total:
                message = (
                    f"setWeight {weight} of Rollout {rollout.name!r}: without a traffic router the share follows the pods, and "
                    f"{canary} of {total} are {100 * canary / total:.3g} %"
                )
                yield Hit(rollout, (*STEPS, index, "setWeight"), message)


def deadline_never_aborts(context: Context) -> Iterator[Hit]:
    """``progressDeadlineSeconds`` that only marks."""
    for rollout in context.of_kind("Rollout"):
        spec = mapping(rollout.data, "spec")
        if "progressDeadlineSeconds" in spec and spec.get("progressDeadlineAbort") is not True:
            message = (
                f"progressDeadlineSeconds of Rollout {rollout.name!r} only marks it Degraded: pods that never become ready "
                f"stay until a person aborts"
            )
            yield Hit(rollout, ("spec", "progressDeadlineSeconds"), message)


def _judged(context: Context) -> Iterator[Timeline]:
    """Timelines the scenario's targets speak of: of the Rollouts its strategy uses."""
    yield from (line for line in timelines(context) if line.rollout.name in context.judged_rollouts)


def _targets(context: Context, kpi: Kpi) -> Iterator[KpiTarget]:
    targets = context.scenario.targets if context.scenario is not None else ()
    yield from (target for target in targets if target.kpi is kpi)


def _beyond(minutes: float, target: KpiTarget) -> bool:
    return minutes >= target.value if target.strict else minutes > target.value


def _bound(target: KpiTarget) -> str:
    return f"{'under' if target.strict else 'at most'} {target.value:g}"


RULES = (
    Rule("RT701", "longer-than-target", Severity.WARNING,
         "Pauses and the least number of measurements alone exceed the declared deployment time; pods, polling and people "
         "come on top.", "shorten pauses, or judge in the background while pausing", too_long),
    Rule("RT702", "slower-than-target", Severity.WARNING,
         "A gate speaks after its pause, its delay and failureLimit further measurements; before that a bad version is served.",
         "a background analysis from the first step, with a short interval and a small failureLimit", too_slow_to_notice),
    Rule("RT703", "pause-unwatched", Severity.WARNING,
         "An analysis step starts after the pause before it: what happens during the pause is not judged.",
         "put the templates into strategy.canary.analysis, which runs through all steps", unwatched_pause),
    Rule("RT704", "end-unwatched", Severity.WARNING,
         "Leaks, saturation and anything that needs full load show only at the highest weight.",
         "let a background analysis run through a last pause at the highest weight", unwatched_end),
    Rule("RT705", "canary-unjudged", Severity.WARNING,
         "A canary without analysis promotes every version, good or bad, on time.",
         "add an analysis, or an open-ended pause for a person", no_analysis),
    Rule("RT706", "blue-green-unjudged", Severity.WARNING,
         "Ready pods are not working pods; the switch moves all users at once.",
         "prePromotionAnalysis against the preview Service, postPromotionAnalysis after the switch", blue_green_unjudged),
    Rule("RT707", "promotion-delay-ignored", Severity.WARNING,
         "autoPromotionSeconds counts only while automatic promotion is on.",
         "delete one of the two", promotion_delay_ignored),
    Rule("RT708", "waits-for-a-person", Severity.INFO,
         "A pause without a duration lasts until somebody promotes or aborts.",
         "give it a duration if nobody is meant to decide", waits_for_people),
    Rule("RT709", "undo-replays-steps", Severity.WARNING,
         "After promotion the former version is just another version: undo goes through every weight and pause again.",
         "spec.rollbackWindow: {revisions: 3} lets recent versions return at once", undo_replays),
    Rule("RT710", "canary-without-steps", Severity.WARNING,
         "Without steps a canary replaces pods as fast as surge and unavailability allow.",
         "write steps", no_steps),
    Rule("RT711", "weight-not-reachable", Severity.WARNING,
         "Without a traffic router the canary's share is its share of the pods.",
         "add trafficRouting, or use weights that are multiples of 100 / replicas (or, with maxSurge, of 100 / (replicas + 1))", unreachable_weights),
    Rule("RT712", "deadline-never-aborts", Severity.INFO,
         "Passing the progress deadline is a message; only progressDeadlineAbort makes it an abort, and pauses and analysis "
         "steps never count.", "progressDeadlineAbort: true", deadline_never_aborts),
)  # fmt: skip
