"""Whole gates against exact binomial results worked out here by other means, and simulated frequencies against the same.

Every request of a measurement is bad or not by itself, so its verdict is a binomial's; what limits make of the verdicts is
written out below for every sequence of them, without any code of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import log
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from reports.power.building import frequency
from reports.power.reading import reading_of
from scenarios.power.courses import Method, course
from scenarios.power.limits import ended
from scenarios.power.models import Rollout
from scenarios.power.replicas import observed
from scenarios.power.world import Truth
from sim.model.analysis import AnalysisPhase
from sim.study import run_once
from tests.power.rollouts import GOOD, metric, rollout

RATE: Final = 20.0
REQUESTS: Final = 450.0
"""Of the release between the first and the last scrape of a minute: 20/s x 50 % x 45 s."""
BOUND_S: Final = 0.05
"""A bound of the histogram's buckets: a quantile is at most this exactly if so many requests are."""
SELECTOR: Final = '{pod=~"shop-{{args.hash}}-.*"}'
BUCKETS: Final = f"sum(rate(http_request_duration_seconds_bucket{SELECTOR}[1m])) by (le)"
FAST: Final = (
    f'sum(rate(http_request_duration_seconds_bucket{SELECTOR[:-1]},le="{BOUND_S}"}}[1m]))'
    f" / sum(rate(http_request_duration_seconds_count{SELECTOR}[1m]))"
)
SEEDS: Final = range(7000, 7060)

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Chances = tuple[float, float, float]
"""Of one measurement: successful, failed, inconclusive."""
Ends = tuple[float, float]
"""Aborted, left to a person."""


def above(share: float, bad: float, n: Integers) -> Floats:
    """P(more than this share of n requests is bad)."""
    return np.asarray(stats.binom.sf(np.floor(n * share + 1e-9), n, bad))


def mixed(chance: Callable[[Integers], Floats], requests: float = REQUESTS) -> float:
    """Averaged over a Poisson number of requests; without any there is no number, which fails."""
    n = np.arange(1, int(requests + 12 * requests**0.5 + 30))
    return float((stats.poisson.pmf(n, requests) * chance(n)).sum() + stats.poisson.pmf(0, requests))


def limited(bad: float, share: float, requests: float = REQUESTS) -> Chances:
    """Successful up to a share."""
    fails = mixed(lambda n: above(share, bad, n), requests)
    return 1 - fails, fails, 0.0


def banded(bad: float, low: float, high: float) -> Chances:
    """Successful up to one share, failed above another, neither between."""
    fails, doubtful = (limited(bad, share)[1] for share in (high, low))
    return 1 - doubtful, fails, doubtful - fails


def quantile(slow: float, level: float) -> Chances:
    """Successful if the level's share of the requests is within the bound."""
    misses = mixed(lambda n: np.asarray(stats.binom.cdf(np.ceil(n * level - 1e-9) - 1, n, 1 - slow)))
    return 1 - misses, misses, 0.0


def over(chances: Chances, count: int, failures: int, inconclusive: int = 0, streak: int = 0) -> Ends:
    """Every sequence of verdicts, followed until a limit is exceeded, enough successes came in a row, or the count is met."""
    aborted = paused = 0.0
    for sequence in product(range(3), repeat=count):
        weight = float(np.prod([chances[verdict] for verdict in sequence]))
        end = _end(sequence, failures, inconclusive, streak)
        aborted += weight * (end == "failed")
        paused += weight * (end == "inconclusive")
    return aborted, paused


def _end(sequence: Sequence[int], failures: int, inconclusive: int, streak: int) -> str:
    run = 0
    for place, verdict in enumerate(sequence):
        run = run + 1 if verdict == 0 else 0
        if sequence[: place + 1].count(1) > failures:
            return "failed"
        if sequence[: place + 1].count(2) > inconclusive:
            return "inconclusive"
        if streak and run >= streak:
            return "successful"
    return "inconclusive" if streak else "successful"


def named(text: str, name: str) -> str:
    return text.replace("name: gate", f"name: {name}", 1)


@dataclass(frozen=True)
class Gate:
    """A metric, and what one of its measurements and its limits come to."""

    name: str
    query: str
    fields: Mapping[str, object]
    one: Callable[[float], Chances]
    count: int
    failures: int
    inconclusive: int = 0
    streak: int = 0

    @property
    def text(self) -> str:
        """In a template."""
        limits: dict[str, object] = {"interval": "1m", "count": self.count, "failureLimit": self.failures}
        limits |= {"inconclusiveLimit": self.inconclusive} if self.inconclusive else {}
        limits |= {"consecutiveSuccessLimit": self.streak} if self.streak else {}
        return named(metric(self.query, **self.fields, **limits), self.name)

    def ends(self, bad: float) -> Ends:
        """By hand."""
        return over(self.one(bad), self.count, self.failures, self.inconclusive, self.streak)


def errors(name: str, share: float, *limits: int) -> Gate:
    condition = {"successCondition": f"'result[0] >= {1 - share:g}'"}
    return Gate(name, GOOD, condition, lambda bad: limited(bad, share), *limits)


def band(name: str, *limits: int) -> Gate:
    conditions = {"successCondition": "'result[0] >= 0.975'", "failureCondition": "'result[0] < 0.955'"}
    return Gate(name, GOOD, conditions, lambda bad: banded(bad, 0.025, 0.045), *limits)


def slow_quantile(level: float, *limits: int) -> Gate:
    condition = {"successCondition": f"'result[0] <= {BOUND_S}'"}
    query = f"histogram_quantile({level}, {BUCKETS})"
    return Gate(f"p{100 * level:g}", query, condition, lambda slow: quantile(slow, level), *limits)


ON_ERRORS: Final = (
    *(errors(f"share-{place}", share, 3, 1) for place, share in enumerate((0.01, 0.02, 0.03, 0.04, 0.05))),
    *(errors(f"count-{count}", 0.03, count, 0) for count in (1, 2, 4)),
    *(errors(f"limit-{limit}", 0.025, 4, limit) for limit in (0, 1, 2, 3)),
    *(errors(f"streak-{streak}", 0.025, 4, 1, 0, streak) for streak in (1, 2, 3)),
    *(band(f"band-{failures}-{doubtful}", 4, failures, doubtful) for failures, doubtful in ((0, 0), (1, 1), (1, 3))),
)
ON_LATENCY: Final = (
    *(slow_quantile(level, 3, 1) for level in (0.85, 0.9, 0.95)),
    Gate("fast", FAST, {"successCondition": "'result[0] >= 0.9'"}, lambda slow: limited(slow, 0.1), 3, 1),
)
SLOWER: Final = 1.5
RELEASES: Final = (
    ("errors-2", Truth(0.02), ON_ERRORS, 0.02),
    ("errors-4", Truth(0.04), ON_ERRORS, 0.04),
    ("slower", Truth(0.001, SLOWER), ON_LATENCY, float(stats.norm.sf(log(BOUND_S / (0.02 * SLOWER)) / 0.4))),
)
each_release = pytest.mark.parametrize(
    ("truth", "gates", "bad"), [row[1:] for row in RELEASES], ids=[row[0] for row in RELEASES]
)


def judged_by(folder: Path, gates: Sequence[Gate]) -> Rollout:
    return rollout(folder, tuple(gate.text for gate in gates), rate=RATE, weight=50, pause="3m")


@each_release
def test_closed_forms_are_the_binomials_worked_out_by_hand(
    truth: Truth, gates: Sequence[Gate], bad: float, tmp_path: Path
) -> None:
    models = judged_by(tmp_path, gates)
    for model, gate in zip(models.gates, gates, strict=True):
        found = course(models, model, truth)
        assert found is not None
        assert found.method is Method.EXACT
        aborted, paused = gate.ends(bad)
        assert (found.ends.abort, found.ends.pause) == pytest.approx((aborted, paused), abs=1e-6), gate.name


@pytest.mark.slow
@each_release
def test_simulated_frequencies_lie_where_the_binomials_say(
    truth: Truth, gates: Sequence[Gate], bad: float, tmp_path: Path
) -> None:
    models = judged_by(tmp_path, gates)
    world = observed(models.scenario, truth)
    readings = [reading_of(run_once(world, seed)) for seed in SEEDS]
    for model, gate in zip(models.gates, gates, strict=True):
        ends = []
        for reading in readings:
            measured = reading.of(("step", 2, "", gate.name))
            assert measured is not None
            found = ended(model.metric, measured.sequence)
            ends.append(None if found is None else found[1])
        for phase, chance in zip((AnalysisPhase.FAILED, AnalysisPhase.INCONCLUSIVE), gate.ends(bad), strict=True):
            seen = frequency(ends.count(phase), len(SEEDS))
            assert seen.covers(chance), (gate.name, phase, seen, chance)
