"""RT3xx: gates that cannot speak, contradict each other, or mean nothing at the scenario's traffic."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from scenarios.findings import Severity
from scenarios.rules import power as powers
from scenarios.rules.context import Context
from scenarios.rules.ratios import RatioGate, ratio_gate
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.timeline import Gate, timelines
from scenarios.rules.tree import whole
from scenarios.rules.uses import MetricUse, metric_uses
from sim.model.scenario import Scenario
from sim.model.units import duration_text


def limit_never_reached(context: Context) -> Iterator[Hit]:
    """FailureLimit that count measurements cannot exceed."""
    for metric in metric_uses(context):
        count, limit = whole(metric.metric.get("count")), metric.failure_limit
        if count and 0 < count <= limit:
            message = (
                f"{metric.words} tolerates {limit} failures and takes {count} measurements: failing needs {limit + 1}, so it "
                f"always succeeds"
            )
            yield Hit(metric.template, (*metric.path, "failureLimit"), message)


def too_late(context: Context) -> Iterator[Hit]:
    """Background gates whose earliest failure lies beyond the last step."""
    for line in timelines(context):
        if any(step.open_ended for step in line.steps):
            continue
        for gate in line.gates:
            first = gate.earliest_abort_s
            if first is not None and first > gate.end_s and gate.use.role == "background":
                message = (
                    f"{gate.metric.words} can fail {duration_text(first)} after the start of Rollout {line.rollout.name!r} at the "
                    f"earliest, but its steps take {duration_text(gate.end_s)}: it is ended as Successful before"
                )
                yield Hit(gate.metric.template, (*gate.metric.path, "interval"), message)


def contradictions(context: Context) -> Iterator[Hit]:
    """Two gates of one Rollout that judge the same signal by different limits."""
    for line in timelines(context):
        found: dict[tuple[int, tuple[str | int, ...]], RatioGate] = {}
        for gate in line.gates:
            ratio = ratio_gate(gate.metric)
            if ratio is not None:
                found.setdefault((id(gate.metric.template), gate.metric.path), ratio)
        for left, right in combinations(found.values(), 2):
            if left.families & right.families and _disagree(left, right):
                loose, strict = sorted((left, right), key=lambda ratio: ratio.limit, reverse=True)
                message = (
                    f"{strict.metric.words} lets {_percent(strict.limit)} of errors pass ({_counted(strict)}), "
                    f"{loose.metric.words} {_percent(loose.limit)} ({_counted(loose)}): two limits for one signal, and the "
                    f"stricter one decides every time"
                )
                yield Hit(strict.metric.template, strict.metric.path, message)


def _disagree(left: RatioGate, right: RatioGate) -> bool:
    """Different limits, unless the stricter one looks over a longer window, as burn-rate pairs do."""
    loose, strict = sorted((left, right), key=lambda ratio: ratio.limit, reverse=True)
    if loose.limit <= strict.limit * 1.05:
        return False
    return not (strict.window_s and loose.window_s and strict.window_s > loose.window_s)


def _counted(gate: RatioGate) -> str:
    if gate.only_2xx:
        return "everything but 2xx"
    return "4xx and 5xx" if gate.client_errors else "5xx"


def sample_too_small(context: Context) -> Iterator[Hit]:
    """Gates on an error share that too few requests reach, all measurements taken together."""
    for gate in _weakest(context):
        scenario = context.scenario
        found = powers.power(gate, scenario) if scenario is not None else None
        if scenario is None or found is None or found.healthy > found.gate.limit or gate.metric.failure_limit < 0:
            continue
        verdict = powers.verdict(gate, scenario, found)
        if not verdict.is_safe:
            message = _judged(gate, found, verdict)
            yield Hit(gate.metric.template, gate.metric.path, message, _advice(gate, scenario, found))


def _judged(gate: Gate, found: powers.Power, verdict: powers.Verdict) -> str:
    alike = f"; windows overlap, so {verdict.overlap} in a row are taken to agree" if verdict.overlap > 1 else ""
    return (
        f"{gate.metric.words} judges {found.requests} requests a measurement ({found.rate_rps:.3g}/s x {found.weight:g} % x "
        f"{found.window_s:g} s) by a limit of {_percent(found.gate.limit)}, {verdict.measurements} times, and fails beyond "
        f"failureLimit {gate.metric.failure_limit}: a healthy release ({_percent(found.healthy)}) is aborted with probability "
        f"{verdict.false_abort:.2g}, a bad one ({_percent(found.bad)}) passes with {verdict.miss:.2g} (one measurement: "
        f"{found.false_fail:.2g} and {found.miss:.2g}{alike})"
    )


def _advice(gate: Gate, scenario: Scenario, found: powers.Power) -> str:
    factor = powers.traffic_needed(gate, scenario, found)
    if factor is None:
        return "no traffic within reach brings both below 5 %: choose another limit, failureLimit or count"
    return f"{factor:.2g} times the requests bring both below 5 %: raise the weight or the window, or mind failureLimit and count"


def healthy_fails(context: Context) -> Iterator[Hit]:
    """Gates stricter than the version that runs today."""
    for gate in _weakest(context):
        found = powers.power(gate, context.scenario) if context.scenario is not None else None
        if found is not None and found.healthy > found.gate.limit:
            message = (
                f"{gate.metric.words} tolerates {_percent(found.gate.limit)} ({_counted(found.gate)}), but the stable version "
                f"of the scenario answers {_percent(found.healthy)} so: with {found.requests} requests a release as good as it "
                f"fails a measurement with probability {found.false_fail:.2g}"
            )
            yield Hit(gate.metric.template, gate.metric.path, message)


def quantile_of_few(context: Context) -> Iterator[Hit]:
    """Gates on a quantile of too few requests."""
    for gate in _weakest(context):
        for sample in powers.quantile_samples(gate, context.scenario) if context.scenario is not None else ():
            if sample.requests < sample.needed and sample.level > 0.5:
                beyond = sample.requests * (1 - sample.level)
                message = (
                    f"one measurement of {gate.metric.words} takes the p{100 * sample.level:g} of {sample.requests} requests at "
                    f"{gate.weight:g} %: about {beyond:.2g} of them lie beyond it, so a few slow ones decide"
                )
                advice = f"at least {sample.needed} requests a measurement, or judge the share of slow requests"
                yield Hit(gate.metric.template, gate.metric.path, message, advice)


def _weakest(context: Context) -> Iterator[Gate]:
    """For every metric of the scenario's Rollouts the place where it sees the least traffic."""
    if context.scenario is None:
        return
    weakest: dict[tuple[int, tuple[str | int, ...], str], Gate] = {}
    for line in timelines(context):
        for gate in line.gates if line.rollout.name in context.judged_rollouts else ():
            if gate.weight > 0:
                key = (id(gate.metric.template), gate.metric.path, line.rollout.name)
                weakest[key] = min(weakest.get(key, gate), gate, key=lambda item: item.weight)
    yield from weakest.values()


def shared_limits(context: Context) -> Iterator[Hit]:
    """One query judged by two conditions in one Rollout."""
    for line in timelines(context):
        seen: dict[str, MetricUse] = {}
        for gate in line.gates:
            query = _query(gate.metric)
            first = seen.setdefault(query, gate.metric)
            if query and (first.template, first.path) != (gate.metric.template, gate.metric.path):
                mine, other = _conditions(gate.metric), _conditions(first)
                if mine != other and ratio_gate(gate.metric) is None:
                    message = (
                        f"{gate.metric.words} and {first.words} judge the same query by different conditions: "
                        f"{' / '.join(filter(None, mine))} and {' / '.join(filter(None, other))}"
                    )
                    yield Hit(gate.metric.template, gate.metric.path, message)


def _query(metric: MetricUse) -> str:
    for kind in ("prometheus", "datadog"):
        provider = metric.metric.get("provider")
        config = provider.get(kind) if isinstance(provider, dict) else None
        if isinstance(config, dict) and isinstance(config.get("query"), str):
            return kind + " ".join(config["query"].split())
    return ""


def _conditions(metric: MetricUse) -> tuple[str, str]:
    success, failure = metric.metric.get("successCondition"), metric.metric.get("failureCondition")
    return str(success or ""), str(failure or "")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


RULES = (
    Rule("RT301", "limit-never-reached", Severity.ERROR,
         "A metric fails when its failures exceed failureLimit; with no more measurements than that, it cannot.",
         "failureLimit below count", limit_never_reached),
    Rule("RT302", "gate-too-late", Severity.ERROR,
         "The background run ends with the last step, and a run that is ended early is Successful.",
         "a shorter interval, delay or failureLimit, or longer pauses", too_late),
    Rule("RT303", "limits-contradict", Severity.WARNING,
         "Two limits for one signal: the looser gate never decides, and nobody can say what healthy means.",
         "derive every limit from one objective", contradictions),
    Rule("RT304", "sample-too-small", Severity.WARNING,
         "An error share is judged on requests rate x weight x window; with few of them, chance decides. The probabilities "
         "are exact binomial ones over all measurements and failureLimit; measurements whose windows overlap are taken to "
         "agree, which is an approximation.", "raise the weight or the window", sample_too_small),
    Rule("RT305", "healthy-release-fails", Severity.ERROR,
         "A gate below the error share the stable version has already aborts releases that are as good as it.",
         "count only errors the release can cause, or choose a limit above the stable version's own share", healthy_fails),
    Rule("RT306", "quantile-of-few", Severity.WARNING,
         "A quantile stands on the requests beyond it; ten are little, fewer are noise.",
         "raise the weight or the window, or judge the share of requests above the bound", quantile_of_few),
    Rule("RT307", "conditions-contradict", Severity.WARNING,
         "The same query judged by two conditions in one rollout: one of them decides, the other misleads.",
         "keep one of the two", shared_limits),
)  # fmt: skip
