"""The counter of answers and the histogram of their times, in Prometheus' text format."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OWN_SOURCES = ("status", "status-class", "version", "env", "value")
"""Sources that only the application knows; the others are the scraping side's."""

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the application exposes: the model's ``PrometheusTelemetry`` as far as it concerns one pod."""

    requests_metric: str = "http_requests_total"
    duration_metric: str = "http_request_duration_seconds"
    buckets_s: tuple[float, ...] = (0.05, 0.1, 1.0)
    preset_statuses: tuple[int, ...] = ()
    labels: tuple[tuple[str, tuple[str, ...]], ...] = (("status", ("status",)),)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Telemetry:
        """The telemetry written as JSON."""
        return cls(
            str(data["requests_metric"]),
            str(data["duration_metric"]),
            tuple(map(float, data["buckets_s"])),
            tuple(map(int, data["preset_statuses"])),
            tuple((label["name"], tuple(label["sources"])) for label in data["labels"]),
        )


def own_labels(telemetry: Telemetry, version: str, env: Mapping[str, str], status: int | None) -> Labels:
    """Labels whose first source that yields something is the application's own; sources of the scraping side yield nothing here."""
    found = []
    for name, sources in telemetry.labels:
        value = next((text for source in sources if (text := _value(source, version, env, status))), "")
        if value:
            found.append((name, value))
    return tuple(found)


def _value(source: str, version: str, env: Mapping[str, str], status: int | None) -> str:
    kind, _, key = source.partition(":")
    match kind:
        case "status":
            return "" if status is None else str(status)
        case "status-class":
            return "" if status is None else f"{status // 100}xx"
        case "version":
            return version
        case "env":
            return env.get(key, "")
        case "value":
            return key
        case _:
            return ""


class Metrics:
    """Totals since the container started. A status has no counter before its first answer unless it is preset."""

    def __init__(self, telemetry: Telemetry, version: str, env: Mapping[str, str]) -> None:
        self._telemetry = telemetry
        self._version = version
        self._env = env
        self._bounds = telemetry.buckets_s
        self._buckets = [0] * (len(telemetry.buckets_s) + 1)
        self._sum_s = 0.0
        self.statuses: dict[int, int] = dict.fromkeys(telemetry.preset_statuses, 0)

    def count(self, status: int, latency_s: float) -> None:
        """One answer. A time equal to a bound is in that bound's bucket."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._buckets[bisect_left(self._bounds, latency_s)] += 1
        self._sum_s += latency_s

    def text(self) -> str:
        """Everything, as scraped."""
        return "\n".join([*self._counters(), *self._histogram(), ""])

    def _labels(self, status: int | None) -> Labels:
        return own_labels(self._telemetry, self._version, self._env, status)

    def _counters(self) -> Iterator[str]:
        name = self._telemetry.requests_metric
        yield f"# TYPE {name} counter"
        # Without a status label several statuses share one counter.
        sums: dict[Labels, int] = {}
        for status, count in self.statuses.items():
            labels = self._labels(status)
            sums[labels] = sums.get(labels, 0) + count
        for labels, total in sums.items():
            yield f"{name}{_braced(labels)} {total}"

    def _histogram(self) -> Iterator[str]:
        name, labels = self._telemetry.duration_metric, self._labels(None)
        yield f"# TYPE {name} histogram"
        running = 0
        for bound, count in zip((*self._bounds, None), self._buckets, strict=True):
            running += count
            le = "+Inf" if bound is None else f"{bound:g}"
            yield f"{name}_bucket{_braced((*labels, ('le', le)))} {running}"
        yield f"{name}_sum{_braced(labels)} {self._sum_s!r}"
        yield f"{name}_count{_braced(labels)} {running}"


def _braced(labels: Iterable[tuple[str, str]]) -> str:
    text = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{text}}}" if text else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
