"""The search space that a user would begin with: the waits, weights and gates as they are written, each within reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scenarios.document.load import Loaded
from scenarios.findings import Path
from scenarios.manifests import Document
from scenarios.rules.tree import leaves
from scenarios.settings.binding import canonical
from scenarios.settings.inside import CONDITIONS, numbers, windows
from scenarios.settings.naming import subject, used_templates
from scenarios.settings.parameter import Parameter, read_parameter
from sim.model.units import duration_text, go_duration_s

_SHORTEST_S = 10.0
"""No wait is proposed shorter than this: metrics need a scrape or two."""
_LIMITS = ("failureLimit", "inconclusiveLimit", "consecutiveErrorLimit")


def default_parameters(loaded: Loaded) -> tuple[Parameter, ...]:
    """Pauses, weights, intervals, counts, limits, thresholds and windows that the subject's gates have, with a range each.

    Waits from an eighth to twice what is written, weights and counts from half to twice, limits from none to one more than
    is written, thresholds to half and twice their distance from what is perfect.
    """
    document = subject(loaded)
    owners = ([document] if document is not None else []) + list(used_templates(loaded))
    found = [text for owner in owners for path, value in leaves(owner.data) for text in _proposed(owner, path, value)]
    return tuple(read_parameter(text) for text in dict.fromkeys(found))


def _proposed(owner: Document, path: Path, value: Any) -> Iterator[str]:
    name = canonical(owner, path)
    if path[-1] == "duration" and path[-2:-1] == ("pause",):
        yield from _wait(name, value)
    elif path[-1] == "setWeight" and isinstance(value, int) and 0 < value < 100:
        yield f"{name}={max(1, value // 2)}..{min(99, 2 * value)}"
    elif path[:2] == ("spec", "metrics"):
        yield from _of_metric(name, path, value)


def _of_metric(name: str, path: Path, value: Any) -> Iterator[str]:
    last = path[-1]
    if last in {"interval", "initialDelay"} and len(path) == 4:
        yield from _wait(name, value)
    elif last == "count" and isinstance(value, int) and value > 0:
        yield f"{name}={max(1, value // 2)}..{2 * value}"
    elif last in _LIMITS and isinstance(value, int) and value >= 0:
        yield f"{name}=0..{value + 1}"
    elif last in CONDITIONS and isinstance(value, str):
        yield from _thresholds(name, value)
    elif last == "query" and isinstance(value, str) and "prometheus" in path:
        yield from _windows(name, value)


def _wait(name: str, value: Any) -> Iterator[str]:
    seconds = _seconds(value)
    if seconds is not None and seconds > 0:
        low, high = max(min(_SHORTEST_S, seconds), _round(seconds / 8)), _round(2 * seconds)
        written = (
            (str(int(low)), str(int(high))) if isinstance(value, int) else (duration_text(low), duration_text(high))
        )
        yield f"{name}={'..'.join(written)}:log"


def _seconds(value: Any) -> float | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    try:
        return go_duration_s(value) if isinstance(value, str) else None
    except (ValueError, IndexError):
        return None


def _round(seconds: float) -> float:
    """Whole seconds; above a minute whole quarters of one."""
    unit = 15.0 if seconds > 60 else 5.0 if seconds > 10 else 1.0
    return max(1.0, unit * round(seconds / unit))


def _thresholds(name: str, text: str) -> Iterator[str]:
    found = [spot for spot in numbers(text) if float(spot.text) > 0]
    single = len(numbers(text)) == 1
    for spot in found:
        index = "" if single else f"[{[one.at for one in numbers(text)].index(spot.at)}]"
        low, high = _around(float(spot.text))
        yield f"{name}{index}={low:.6g}..{high:.6g}"


def _around(threshold: float) -> tuple[float, float]:
    """Half to twice the distance from 1 for a share near it, else from 0."""
    if 0.5 < threshold < 1:
        return 1 - 2 * (1 - threshold), 1 - (1 - threshold) / 2
    return threshold / 2, threshold * 2


def _windows(name: str, query: str) -> Iterator[str]:
    found = windows(query)
    for place, spot in enumerate(found):
        yield from _wait(name if len(found) == 1 else f"{name}[{place}]", spot.text)


def listed(parameters: Sequence[Parameter]) -> str:
    """The parameters as options, to be copied and narrowed."""
    return "\n".join(f"--param '{parameter.text}'" for parameter in parameters)
