"""What the report says in words: chances, releases, gates, recommendations. Text and Markdown say the same."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor

from reports.numbers import digits, length
from reports.power.card import Frequency, GatePower, Power, Whole, WholeDot
from scenarios.power.advice import Advice, Knob
from scenarios.power.asking import Axis, AxisKind
from scenarios.power.courses import Course, Method
from scenarios.power.readings import Share
from sim.model.units import duration_text

_TINY = 1e-4


def chance(value: float | None) -> str:
    """``22 %``, ``0.031 %``; ``under 0.01 %`` and ``over 99.99 %`` at the ends; ``-`` for None."""
    if value is None:
        return "-"
    if value <= 0 or value >= 1:
        return "0 %" if value <= 0 else "100 %"
    if value < _TINY:
        return "under 0.01 %"
    return "over 99.99 %" if value > 1 - _TINY else f"{_places(100 * value)} %"


def course_chance(course: Course | None, number: float) -> str:
    """A chance of a course; one that was counted is never more certain than its draws."""
    if course is None:
        return "-"
    return counted_chance(number, course.paths)


def counted_chance(number: float, paths: int) -> str:
    """A chance that was counted from so many draws; an exact one for 0."""
    if paths and min(number, 1 - number) * paths < 1:
        edge = 100 / paths
        return f"under {_places(edge)} %" if number < 0.5 else f"over {floor(100 * (100 - edge)) / 100:g} %"
    return chance(number)


def line_chance(gate: GatePower, number: float | None) -> str:
    """A chance on a gate's line."""
    if number is None:
        return "-"
    return counted_chance(number, 0 if gate.healthy is None else gate.healthy.paths)


def _places(percent: float) -> str:
    """Two digits, and as many of what is missing to 100."""
    return digits(percent, 2) if percent > 99 else f"{float(f'{percent:.2g}'):g}"


def percent(share: float) -> str:
    """A share of requests: ``0.02 %``."""
    return f"{float(f'{100 * share:.3g}'):g} %"


def frequency(found: Frequency) -> str:
    """``22 % of 100 (13 .. 34 %)``."""
    low, high = (float(f"{100 * bound:.2g}") for bound in (found.bounds.lo, found.bounds.hi))
    return f"{100 * found.share:.3g} % of {found.of:,} ({low:g} .. {high:g} %)"


def value(axis: Axis, x: float) -> str:
    """A place on an axis: ``1 %``, ``2x``, ``+100 ms``."""
    if axis.kind is AxisKind.ERRORS:
        return percent(x)
    return f"+{x:g} ms" if axis.added else f"{float(f'{x:.3g}'):g}x"


def release(axis: Axis, x: float) -> str:
    """``a release that fails 1 % of its requests``."""
    if axis.kind is AxisKind.ERRORS:
        return f"a release that fails {percent(x)} of its requests"
    return f"a release {f'{x:g} ms slower' if axis.added else f'that takes {value(axis, x)} as long'}"


def about(found: Power) -> str:
    """Traffic, the two releases and what is wanted, in one sentence."""
    releases = "; ".join(
        f"healthy {value(axis, axis.healthy)}, bad {value(axis, axis.bad)} of {_what(axis)}" for axis in found.axes
    )
    wanted = f"wanted: abort {chance(found.wanted.power)} of the bad, at most {chance(found.wanted.false_abort)} of the healthy"
    return f"{found.subject} at {found.rate}; {releases}; {wanted}"


def together(axis: Axis) -> str:
    """Title of what all gates make of the releases on an axis."""
    return f"All gates together, {'releases with errors' if axis.kind is AxisKind.ERRORS else 'slower releases'}"


def _what(axis: Axis) -> str:
    return "requests with errors" if axis.kind is AxisKind.ERRORS else "the service time"


def headlines(found: Power) -> Iterator[str]:
    """What to know first."""
    for whole in found.wholes:
        yield from _whole(whole)
    for where, why in found.broken:
        yield f"The analysis at {where} ends in Error at once, whatever the release: {why}"
    for gate in found.gates:
        if gate.reaches is False and not gate.model.dry_run:
            yield recommendation(found, gate)


def _whole(whole: Whole) -> Iterator[str]:
    axis = whole.axis
    good, bad = whole.at(axis.healthy), whole.at(axis.bad)
    if good is None or bad is None:
        yield from _whole_closed(whole)
        return
    yield (
        f"All gates together abort {release(axis, axis.bad)} in {frequency(bad.aborted)} and a healthy one in "
        f"{frequency(good.aborted)}{_paused(good)}.{_when(bad)}"
    )
    if bad.first:
        parts = ", ".join(f"{name} {hits}" for name, hits in bad.first[:3])
        yield f"First to abort it: {parts} (of {bad.aborted.of})."


def _whole_closed(whole: Whole) -> Iterator[str]:
    axis, closed = whole.axis, dict(whole.line)
    if axis.bad in closed and axis.healthy in closed:
        yield (
            f"All gates together abort {release(axis, axis.bad)} with probability "
            f"{counted_chance(closed[axis.bad], whole.paths)} and a healthy one with "
            f"{counted_chance(closed[axis.healthy], whole.paths)}, by the closed forms of {whole.closed} of {whole.of} gates."
        )
    elif axis.kind is AxisKind.LATENCY:
        yield f"Of {release(axis, axis.bad)} the closed forms say nothing: simulate it."


def _paused(dot: WholeDot) -> str:
    if not dot.paused.hits:
        return ""
    return f"; {chance(dot.paused.share)} of the healthy ones wait for a person, because a gate is inconclusive"


def _when(dot: WholeDot) -> str:
    if dot.median_s is None or dot.p95_s is None:
        return ""
    return f" Half of these aborts come by {length(dot.median_s)} after the apply, 95 % by {length(dot.p95_s)}."


def recommendation(found: Power, gate: GatePower) -> str:
    """What the gate sees, how often it is wrong, and the least that would do."""
    axis = gate.axis
    if gate.healthy is None or gate.bad is None:
        good, bad = gate.dot_at(axis.healthy), gate.dot_at(axis.bad)
        if good is None or bad is None:
            return ""
        return (
            f"{gate.model.metric.name} at {gate.model.where} aborts a healthy release in {frequency(good.aborted)} and "
            f"{release(axis, axis.bad)} in {frequency(bad.aborted)}, by simulation alone: not what is wanted."
        )
    first = gate.steps[0].requests if gate.steps else gate.healthy.requests[0]
    seen = f"{requests_text(first)} requests a measurement ({_weight(gate)})"
    text = (
        f"At {found.rate}, {gate.model.metric.name} at {gate.model.where} sees {seen}"
        f"{' at first' if len(gate.steps) > 1 else ''}. It aborts a healthy release ({value(axis, axis.healthy)}) with "
        f"probability {course_chance(gate.healthy, gate.healthy.ends.abort)} and misses {release(axis, axis.bad)} with "
        f"{course_chance(gate.bad, 1 - gate.bad.ends.abort)}."
    )
    able = [advised(one) for one in gate.advice if one.value is not None]
    return f"{text} {_enough(able)}"


def _enough(able: list[str]) -> str:
    if able:
        return f"Any one of these is enough: {'; or '.join(able)}."
    return "No share, window, limit or traffic that was tried is enough: choose another condition."


def _weight(gate: GatePower) -> str:
    return f"{gate.steps[0].weight:g} % of the traffic" if gate.steps else "-"


def advised(one: Advice) -> str:
    """One knob's setting and what it comes to."""
    errors = f"false abort {counted_chance(one.false_abort, one.paths)}, miss {counted_chance(one.miss, one.paths)}"
    setting = one.value or 0.0
    match one.knob:
        case Knob.SHARE:
            return f"{setting:g} % of the traffic ({errors})"
        case Knob.WINDOW:
            return f"a window of {duration_text(setting)} ({errors})"
        case Knob.LIMITS:
            count = f"count {setting:g} with " if setting else ""
            return f"{count}failureLimit {one.limit} ({errors})"
        case Knob.TRAFFIC:
            return f"{digits(one.rps or 0.0, 0)} requests/s in all ({errors})"


def method(gate: GatePower) -> str:
    """Where the gate's chances come from, or why there are none."""
    if gate.healthy is None:
        return f"no closed form, the simulation alone speaks: {gate.model.reason or 'its requests queue'}"
    if gate.healthy.method is Method.EXACT:
        text = "closed form: binomial, exact; no two measurements rest on the same requests"
    else:
        text = "closed form: counted (Monte Carlo over what each scrape sees), because " + _why_counted(gate)
    if not (gate.healthy.whole and (gate.bad is None or gate.bad.whole)):
        text += "; only as long as hardly any request waits for a server"
    inside, both = gate.agreement
    return text + (f"; within the simulation's 99 % interval at {inside} of {both} points" if both else "")


def _why_counted(gate: GatePower) -> str:
    reading = gate.model.reading
    if isinstance(reading, Share) and gate.model.interval_s and reading.window_s > gate.model.interval_s:
        return "windows overlap"
    return "measurements share requests or its counters are young"


def rule(gate: GatePower) -> str:
    """Condition, limit and counts."""
    metric = gate.model.metric
    conditions = [
        f"{name} {' '.join(text.split())}"
        for name, text in (("success", metric.success_condition), ("failure", metric.failure_condition))
        if text
    ]
    limit = "" if gate.limit is None else f"; in the long run it holds up to {value(gate.axis, gate.limit)}"
    return f"{'; '.join(conditions) or 'no condition'}; {gate.rule}{limit}"


def requests_text(number: float) -> str:
    """Whole ones, unless there are few."""
    return digits(number, 0) if number >= 10 else f"{number:.2g}"


def spread(values: list[float]) -> str:
    """The least and the most of some numbers."""
    if not values:
        return "-"
    low, high = (requests_text(one) for one in (min(values), max(values)))
    return low if low == high else f"{low} .. {high}"


def notes(found: Power) -> Iterator[str]:
    """How to read it."""
    if found.replications:
        yield (
            f"simulated: {found.replications} replications of each true value, the same arrivals and delays for all, gates "
            "watching only so that later ones are asked too; intervals: Wilson, 99 %"
        )
    else:
        yield "nothing was simulated (--replications 0)"
    yield (
        "requests each: what lies between the first and the last scrape (or flush) inside the window, not rate x window"
    )
    yield "closed forms of all gates together take them as independent; the simulation does not"
    yield "closed forms take every delay of the rollout at its median; times are since the apply"
