"""The settings that a person would try first, so that no search is praised for what a look at the file would find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from scenarios.settings import Bound, Choices, Parameter, Unit

Values = Mapping[Parameter, str]
WRITTEN = "as written"
_LIMITS = ("failureLimit", "inconclusiveLimit", "consecutiveErrorLimit")


def baselines(bound: Sequence[Bound]) -> Iterator[tuple[str, Values]]:
    """Each with its name: as written (clipped into the ranges), waits halved, doubled, shortest; all low, middle, high."""
    seen: list[Values] = []
    for name, choose in _WAYS.items():
        values = {item.parameter: choose(item) for item in bound}
        if values not in seen:
            seen.append(values)
            yield name, values


def written(item: Bound) -> str:
    """What is written, or the nearest that may be tried; the lower end where nothing is written."""
    values, current = item.parameter.values, item.target.current
    if isinstance(values, Choices):
        return current if current in values.options else values.options[0]
    number = values.read(current)
    return values.write(values.low if number is None else number)


def stands(item: Bound) -> bool:
    """Whether what is written is among what may be tried."""
    values, current = item.parameter.values, item.target.current
    if isinstance(values, Choices):
        return current in values.options
    number = values.read(current)
    return number is not None and values.low <= number <= values.high


def _times(factor: float, *, every: bool) -> Callable[[Bound], str]:
    """What is written, pauses (or every duration) so many times as long."""

    def choose(item: Bound) -> str:
        values = item.parameter.values
        if isinstance(values, Choices) or not (_is_pause(item) or (every and values.unit is Unit.DURATION)):
            return written(item)
        number = values.read(item.target.current)
        return written(item) if number is None else values.write(factor * number)

    return choose


def _shortest(item: Bound) -> str:
    values = item.parameter.values
    waits = not isinstance(values, Choices) and (values.unit is Unit.DURATION or _is_pause(item))
    return values.at(0.0) if waits else written(item)


def _strict(item: Bound) -> str:
    """As ``_shortest``, with half the failures tolerated."""
    values = item.parameter.values
    if isinstance(values, Choices) or item.target.path[-1] not in _LIMITS:
        return _shortest(item)
    number = values.read(item.target.current)
    return written(item) if number is None else values.write(number // 2)


def _is_pause(item: Bound) -> bool:
    return item.target.path[-2:] == ("pause", "duration")


_WAYS: dict[str, Callable[[Bound], str]] = {
    WRITTEN: written,
    "pauses halved": _times(0.5, every=False),
    "pauses doubled": _times(2.0, every=False),
    "waits halved": _times(0.5, every=True),
    "waits shortest": _shortest,
    "waits shortest, limits halved": _strict,
    "low ends": lambda item: item.parameter.values.at(0.0),
    "middles": lambda item: item.parameter.values.at(0.5),
    "high ends": lambda item: item.parameter.values.at(1.0),
}
