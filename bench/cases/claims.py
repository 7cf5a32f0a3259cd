"""The gate's own errors: claims of known truth, decided by the code that decides policies, counted against what is stated.

Replications are coins of known bias here, and values of known mean; nothing is simulated. The mean number of replications
stands beside the exact one and beside Wald's formula, which knows nothing of overshoot, truncation or a second test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import sqrt
from typing import Any, Final

import numpy as np

from bench.cases.options import Options
from reports.gate import means
from reports.gate.chances import MOST, chances, enough
from reports.gate.means import MeanState, MeanTest
from reports.gate.sprt import Answer, Ratio, Sprt, State, Walk
from scenarios.policy.claims import Rates, Relation

TESTS: Final = ((0.99, 0.008, 0.0), (0.9, 0.08, 0.0), (0.5, 0.1, 0.0), (0.99, 0.0, 0.04))
"""Claimed share, margin and tolerance."""
CLAIMS: Final = 300
"""Decided for each truth."""
_RARE: Final = {
    "1 in 10 tenfold": (0.1, 10.0),
    "1 in 20 fifteenfold": (0.05, 15.0),
    "1 in 50 twentyfold": (0.02, 20.0),
    "1 in 100 fiftyfold": (0.01, 50.0),
}
MEANS: Final = ("normal", "exponential", "log-normal", *_RARE)
_FALSE: Final = 4.0
"""Standard errors by which a frequency may exceed its rate before the bench says no."""


def measure(options: Options) -> dict[str, Any]:
    """Frequencies of wrong answers by claim and truth, truncated as a policy's would be, and at a fifth of that."""
    rng = np.random.default_rng(options.seed)
    shares = [row for test in TESTS for row in _shares(*test, rng, options)]
    values = [_mean(kind, rng, options) for kind in MEANS]
    return {"measured": {"shares": shares, "means": values, "same_answers": all(row["within"] for row in shares)}}


def table(report: Mapping[str, Any]) -> str:
    """A line for each truth."""
    found = report["measured"]
    lines = [
        f"claim {100 * row['share']:g} % ({_region(row)}), at most {row['most']:>5,}, in truth {100 * row['truth']:5.1f} %: "
        f"passed {100 * row['passed']:5.1f} % ({100 * row['passed_exact']:5.1f}), failed {100 * row['failed']:5.1f} % "
        f"({100 * row['failed_exact']:5.1f}), replications {row['mean']:7.1f} ({row['mean_exact']:7.1f}, Wald {row['wald']:7.1f})"
        for row in found["shares"]
    ]
    lines += [f"mean at its bound, {row['kind']}: passed {100 * row['passed']:.1f} %" for row in found["means"]]
    return "\n".join(lines)


def _region(row: Mapping[str, Any]) -> str:
    return f"- {100 * row['tolerance']:g}" if row["tolerance"] else f"± {100 * row['margin']:g}"


def _shares(
    share: float, margin: float, tolerance: float, rng: np.random.Generator, options: Options
) -> Iterator[dict[str, Any]]:
    test = Sprt(share, margin, Rates(), MOST, tolerance)
    full = enough(test)
    low, high = test.clear
    for most in (full, full // 5):
        for truth in (low, (low + high) / 2, high):
            yield _row(replace(test, most=most), truth, rng, CLAIMS * options.repeat)


def _row(test: Sprt, truth: float, rng: np.random.Generator, claims: int) -> dict[str, Any]:
    answers, seen = Counter[Answer](), 0
    for _ in range(claims):
        state = _decided(test, rng.random(test.most) < truth)
        answers[state.answer] += 1
        seen += state.seen
    (exact,) = chances(test, [truth])
    passed, failed = answers[Answer.PASSED] / claims, answers[Answer.FAILED] / claims
    wrong = [(passed, test.rates.false_pass)] if truth <= test.shown else []
    wrong += [(failed, test.rates.false_fail)] if truth >= test.share else []
    return {
        "share": test.share, "margin": test.margin, "tolerance": test.tolerance, "most": test.most, "truth": truth, "claims": claims,
        "passed": passed, "passed_exact": exact.passed, "failed": failed, "failed_exact": exact.failed,
        "mean": seen / claims, "mean_exact": exact.mean_replications, "wald": _wald(test, truth),
        "within": all(freq <= rate + _FALSE * sqrt(rate * (1 - rate) / claims) for freq, rate in wrong),
    }  # fmt: skip


def _decided(test: Sprt, draws: Any) -> State:
    walk, state = Walk(test), State()
    for kept in draws.tolist():
        state = walk.after(state, kept=kept)
        if state.answer.final:
            break
    return state


def _wald(test: Sprt, truth: float) -> float:
    """Of the test that has to speak: for the claim above its bound, against it below; at the bound the longer of both."""
    pro, contra = test.speaks_for, test.speaks_against
    if test.tolerance:
        return _wald_of(pro, truth, chances(replace(test, most=MOST), [truth])[0].passed)
    if truth > test.share:
        return _wald_of(pro, truth, 1 - test.rates.left_open)
    if truth < test.share:
        return _wald_of(contra, truth, 1 - test.rates.left_open)
    return max(_wald_of(pro, truth, test.rates.false_pass), _wald_of(contra, truth, test.rates.false_fail))


def _wald_of(ratio: Ratio, truth: float, speaks: float) -> float:
    """E[n] = (P(it speaks) x its height + P(it gives up) x that depth) / E[step]."""
    step = truth * ratio.kept + (1 - truth) * ratio.broken
    return (speaks * ratio.decides + (1 - speaks) * ratio.gives_up) / step


def _mean(kind: str, rng: np.random.Generator, options: Options) -> dict[str, Any]:
    """How often a claim about a mean passes whose mean is exactly at its bound: more would be wrong still less often."""
    claims, most = CLAIMS * options.repeat, 1000
    test = MeanTest(Relation.AT_MOST, 1.0, 0.0, Rates(), most)
    passed = 0
    for _ in range(claims):
        state = MeanState()
        for value in _draws(kind, rng, most).tolist():
            state = means.after(test, state, value)
            if state.answer.final:
                break
        passed += state.answer is Answer.PASSED
    return {"kind": kind, "claims": claims, "stated": test.rates.false_pass, "passed": passed / claims}


def _draws(kind: str, rng: np.random.Generator, n: int) -> Any:
    """Values of mean 1."""
    match kind:
        case "normal":
            return rng.normal(1.0, 1.0, n)
        case "exponential":
            return rng.exponential(1.0, n)
        case "log-normal":
            return rng.lognormal(-0.5, 1.0, n)
        case _:
            share, value = _RARE[kind]
            return np.where(rng.random(n) < share, value, (1 - share * value) / (1 - share))
