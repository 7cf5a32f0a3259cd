"""The playbook's five queries at one instant, over fleets of pods that are scraped between the questions."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from statistics import median
from time import perf_counter
from typing import Any, Final

from bench.cases.options import Options
from sim.metrics import SeriesStore, promql
from sim.metrics.store import Series, to_ms

PODS: Final = (30, 100)
SCRAPE_S: Final = 15.0
SCRAPES: Final = 180
"""Held before the first question: 45 minutes."""
ROUNDS: Final = 60
BOUNDS: Final = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
STATUSES: Final = ("200", "404", "500")
_REQUESTS: Final = "http_requests_total"
_BUCKETS: Final = "http_request_duration_seconds_bucket"
_SERVICE: Final = 'service="triptrip-api"'

QUERIES: Final = {
    "switch script: error percentage": f'sum(rate({_REQUESTS}{{{_SERVICE},status=~"5.*"}}[1m]))'
    f"/sum(rate({_REQUESTS}{{{_SERVICE}}}[1m]))*100",
    "switch script: p99": f"histogram_quantile(0.99, rate({_BUCKETS}{{{_SERVICE}}}[1m]))*1000",
    "success rate": f'sum(rate({_REQUESTS}{{{_SERVICE},status!~"5.."}}[5m]))/sum(rate({_REQUESTS}{{{_SERVICE}}}[5m]))',
    "error rate or none": f'(sum(rate({_REQUESTS}{{{_SERVICE},status=~"5.."}}[5m]))'
    f"/sum(rate({_REQUESTS}{{{_SERVICE}}}[5m]))) or vector(0)",
    "latency": f"histogram_quantile(0.99, sum(rate({_BUCKETS}{{{_SERVICE}}}[5m])) by (le))",
}


class Fleet:
    """A store and the series of so many pods."""

    def __init__(self, pods: int) -> None:
        self.store = SeriesStore()
        self._scrapes = 0
        self._series: list[Series] = []
        for pod in map(str, range(pods)):
            base = {"service": "triptrip-api", "pod": pod}
            self._series += [self.store.series({"__name__": _REQUESTS, **base, "status": one}) for one in STATUSES]
            self._series += [self.store.series({"__name__": _BUCKETS, **base, "le": bound}) for bound in BOUNDS]

    def scrape(self) -> float:
        """One more sample of every series; the seconds it took for each."""
        self._scrapes += 1
        t_ms, begun = to_ms(self._scrapes * SCRAPE_S), perf_counter()
        for index, series in enumerate(self._series):
            series.append(t_ms, float(self._scrapes * (index % 7 + 1)))
        return (perf_counter() - begun) / len(self._series)

    def ask(self) -> dict[str, float]:
        """Seconds each query took, just after the last scrape."""
        taken = {}
        for name, text in QUERIES.items():
            begun = perf_counter()
            promql.query(self.store, text, self._scrapes * SCRAPE_S + 3.0, "2")
            taken[name] = perf_counter() - begun
        return taken


def measure(options: Options) -> dict[str, Any]:
    """Milliseconds of the five queries together and one by one, and of one big histogram_quantile."""
    del options
    fleets = {pods: _fleet(pods) for pods in PODS}
    return {
        "five_queries_ms": {str(pods): fleet["together_ms"] for pods, fleet in fleets.items()},
        "queries_measured": {
            "how": "wall time; every series is scraped once before the five queries; the least and the median of "
            f"{ROUNDS} rounds over {SCRAPES} and more samples a series",
            "fleets": {str(pods): fleet for pods, fleet in fleets.items()},
            "big_histogram_ms": _big(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "promql-parser", "google-re2")},
        },
    }


def _fleet(pods: int) -> dict[str, Any]:
    fleet = Fleet(pods)
    appends = [fleet.scrape() for _ in range(SCRAPES)]
    fleet.ask()
    rounds = []
    for _ in range(ROUNDS):
        fleet.scrape()
        rounds.append(fleet.ask())
    together = [sum(taken.values()) for taken in rounds]
    return {
        "together_ms": 1e3 * min(together),
        "together_median_ms": 1e3 * median(together),
        "append_us": 1e6 * median(appends),
        "each_ms": {name: 1e3 * min(taken[name] for taken in rounds) for name in QUERIES},
    }


def _big() -> float:
    """A quantile over 1,008 bucket series of 720 samples each."""
    fleet = Fleet(84)
    for _ in range(720):
        fleet.scrape()
    text = f"histogram_quantile(0.99, rate({_BUCKETS}[5m]))"
    taken = []
    for _ in range(10):
        fleet.scrape()
        begun = perf_counter()
        promql.query(fleet.store, text, 720 * SCRAPE_S, "2")
        taken.append(perf_counter() - begun)
    return 1e3 * min(taken)


def table(report: Mapping[str, Any]) -> str:
    """A line for each fleet and query."""
    lines = ["pods  together ms  median ms  append us/sample"]
    lines += [
        f"{pods:>4}  {fleet['together_ms']:11.2f}  {fleet['together_median_ms']:9.2f}  {fleet['append_us']:16.2f}"
        for pods, fleet in report["queries_measured"]["fleets"].items()
    ]
    first, fleet = next(iter(report["queries_measured"]["fleets"].items()))
    lines += [f"{taken:9.3f} ms  {name} ({first} pods)" for name, taken in fleet["each_ms"].items()]
    return "\n".join(
        [
            *lines,
            f"{report['queries_measured']['big_histogram_ms']:9.2f} ms  p99 of 84 pods, 1,008 series x 720 samples",
        ]
    )
