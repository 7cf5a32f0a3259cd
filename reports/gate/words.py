"""Claims and answers in words: the same in a terminal, on a pull request, in JUnit and in pytest's reports."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import quantiles

from reports.gate.card import Gate, Result
from reports.gate.means import MeanState, MeanTest, limits
from reports.gate.sprt import Answer, Sprt, State
from reports.numbers import number
from reports.statistics import wilson
from scenarios.policy.claims import Indicator, Policy, RatesOf
from scenarios.policy.sentence import points_text, sentence, share_text
from sim.model.kpis import KPI_MEANINGS

MARKS = {
    Answer.PASSED: "passed",
    Answer.FAILED: "FAILED",
    Answer.UNDECIDED: "UNDECIDED",
    Answer.OPEN: "open",
}


def value_text(happening: Indicator, value: float) -> str:
    """A value of the claim's indicator with its unit."""
    return number(value, KPI_MEANINGS[happening.kpi].unit)


def times(count: int, what: str = "replication") -> str:
    """``1 replication``, ``2,000 replications``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def verdict(gate: Gate) -> str:
    """One line: ``passed: 4 of 4 claims``."""
    tally, total = gate.tally, len(gate.results)
    parts = [f"{tally[a]} {a.value}" for a in (Answer.FAILED, Answer.UNDECIDED, Answer.OPEN, Answer.PASSED) if tally[a]]
    return f"{gate.answer.value}: {', '.join(parts)} of {times(total, 'claim')} in {times(gate.replications)}"


def said(result: Result) -> str:
    """The claim as a sentence, where its name is another."""
    text = sentence(result.claim)
    return "" if result.claim.name.startswith(text) else text


def evidence(result: Result) -> str:
    """What was seen: ``kept in 365 of 366 replications``."""
    if isinstance(result.state, MeanState):
        return _mean_evidence(result)
    state = result.state
    if not state.broken:
        return f"kept in all of {times(state.seen)}"
    return f"broken in {state.broken:,} of {times(state.seen)} ({_share(state)})"


def _share(state: State) -> str:
    bounds = wilson(state.broken, state.seen, 0.95)
    return f"{share_text(round(bounds.mean, 4))}"


def _mean_evidence(result: Result) -> str:
    if not isinstance(result.state, MeanState) or not isinstance(result.test, MeanTest) or not result.state.seen:
        return f"no value in {times(result.seen)}"
    happening = result.claim.happening
    if not isinstance(happening, Indicator):
        return ""
    low, high = limits(result.test, result.state)
    shown = [value_text(happening, value) for value in (result.state.mean, low, high)]
    bounded = f", {times(result.state.unbounded)} ended before the value was known" if result.state.unbounded else ""
    return f"mean {shown[0]} ({shown[1]} .. {shown[2]}) over {times(result.seen)}{bounded}"


def conclusion(result: Result) -> str:
    """What follows from it, with the rate at which that is wrong."""
    rates, answer = result.claim.rates, result.answer
    bound = _bound(result)
    match answer:
        case Answer.PASSED:
            return _shown(result, bound)
        case Answer.FAILED:
            return f"so {bound} does not hold; wrong for at most {share_text(rates.false_fail)} of claims that do"
        case Answer.UNDECIDED:
            return _undecided(result)
        case Answer.OPEN:
            return "not yet decided"


def _shown(result: Result, bound: str) -> str:
    wrong = f"wrong for at most {share_text(result.claim.rates.false_pass)} of claims that"
    often, tolerance = result.claim.often, result.claim.tolerance
    if often is None or not tolerance:
        return f"so {bound} is shown; {wrong} do not hold"
    if often.at_least:
        return f"so more than {share_text(often.share - tolerance)} is shown; {wrong} reach no more"
    return f"so less than {share_text(often.share + tolerance)} is shown; {wrong} reach that"


def _bound(result: Result) -> str:
    often = result.claim.often
    if often is not None:
        return f"at {'least' if often.at_least else 'most'} {share_text(often.share)}"
    happening = result.claim.happening
    if not isinstance(happening, Indicator):
        return "the mean"
    return f"a mean {happening.relation.value} {value_text(happening, happening.value)}"


def _undecided(result: Result) -> str:
    close = result.state.too_close
    if close:
        margin = result.claim.margin
        width = (
            points_text(margin)
            if isinstance(result.test, Sprt)
            else value_text(result.claim.happening, margin)
            if isinstance(result.claim.happening, Indicator)
            else ""
        )
        return (
            f"too close to {_bound(result)} to call with a margin of {width}; a smaller margin costs more replications"
        )
    most = result.test.most
    if isinstance(result.state, MeanState) and result.state.unbounded and result.seen < most:
        return "so nothing is shown: true values may be larger than those of runs that ended first (lengthen tail or horizon)"
    return f"not decided within the {times(most)} it was given; max_replications allows more"


def seen_values(result: Result) -> str:
    """Where half and most of the values lie; '' for none or too few."""
    happening = result.claim.happening
    if len(result.values) < 2:
        return ""
    cuts = quantiles(result.values, n=20, method="inclusive")
    if isinstance(happening, Indicator):
        half, most = (value_text(happening, value) for value in (cuts[9], cuts[18]))
    else:
        half, most = (number(value / 60, "min") for value in (cuts[9], cuts[18]))
    absent = f", none in {times(result.absent)}" if result.absent else ""
    return f"half of the values up to {half}, 95 % up to {most}{absent}"


def reasons(result: Result) -> Iterator[str]:
    """Why, line by line, from one replication; nothing where none breaks the claim."""
    example = result.example
    if example is None:
        return
    ended = ", ".join(f"{count} {name.value}" for name, count in result.verdicts)
    yield f"those that break it ended: {ended}"
    yield f"first, seed {example.seed}: {example.happened}"
    for item in example.conditions:
        where = f" ({item.place.file}:{item.place.line})" if item.place.line else ""
        yield f"gate {item.metric} {item.said}; {item.written or 'no condition'}{where}"
    yield f"replay: {example.command}"


def message(result: Result) -> str:
    """Everything about a claim in one paragraph."""
    return "\n".join([f"{evidence(result)}, {conclusion(result)}", *reasons(result)])


def method(policy: Policy) -> str:
    """What is promised of the decisions."""
    rates, total = policy.rates, len(policy.claims)
    if policy.rates_of is RatesOf.POLICY:
        each = f"of {times(total, 'claim')} together (Bonferroni)"
        whole = f"the gate fails a policy that keeps all in at most {share_text(rates.false_fail)}"
    else:
        each = "of each claim"
        whole = f"all {total} together in at most {share_text(min(1.0, total * rates.false_fail))}" if total > 1 else ""
    by = " by its tolerance" if any(claim.tolerance for claim in policy.claims) else ""
    return (
        f"Sequential probability ratio tests; error rates {each}: passed though it does not hold{by} at most "
        f"{share_text(rates.false_pass)}, failed though it holds at most {share_text(rates.false_fail)}"
        f"{f' ({whole})' if whole else ''}. A policy passes only if every claim does, so one that breaks a claim{by} passes in "
        f"at most {share_text(rates.false_pass)} whatever the number of claims. Seed {policy.seed}."
    )
