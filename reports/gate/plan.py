"""How claims would be decided, before anything is simulated: what the tests cost, and how often each answer comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.gate import words
from reports.gate.chances import chances
from reports.gate.means import MeanTest
from reports.gate.sprt import Sprt
from reports.numbers import digits
from reports.text import columns, wrapped
from scenarios.policy.claims import Claim, Policy
from scenarios.policy.sentence import share_text


def plan_text(claims: Sequence[tuple[Claim, Sprt | MeanTest]], policy: Policy) -> str:
    """Every claim with its test, then what is promised of all."""
    return "\n\n".join([policy.title, *("\n".join(_plan(*one)) for one in claims), wrapped(words.method(policy), "")])


def _plan(claim: Claim, test: Sprt | MeanTest) -> Iterator[str]:
    yield wrapped(claim.name, "")
    if isinstance(test, MeanTest):
        yield wrapped(
            f"a confidence sequence: passes after {words.times(test.fewest_to_pass)} at the earliest, fails after "
            f"{test.fewest_to_fail:,}, stops after at most {test.most:,}; undecided once the mean is known to lie within "
            f"{digits(test.margin)} of the bound",
            "    ",
        )
        return
    between = ""
    if test.tolerance:
        between = f"; either answer where in truth kept in {share_text(test.shown)} to {share_text(test.share)}"
    yield wrapped(
        f"passes after {words.times(test.fewest_to_pass)} without a break, fails after {test.fewest_to_fail:,} broken in a row; "
        f"stops after at most {test.most:,}{between}",
        "    ",
    )
    yield from ("    " + line for line in columns([_HEADS, *map(tuple, _rows(test))]))


_HEADS = ("in truth kept in", "passed", "failed", "too close", "cut short", "replications")


def _rows(test: Sprt) -> Iterator[list[str]]:
    low, high = test.clear
    width = (high - low) / 2
    shares = (low - width, low, low + width, high, 1.0)
    for one in chances(test, [share for share in shares if 0 < share <= 1]):
        ends = (one.passed, one.failed, one.too_close, one.cut_short)
        yield [share_text(one.share), *(_percent(end) for end in ends), digits(one.mean_replications)]


def _percent(share: float) -> str:
    return "0" if share < 5e-6 else f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.4g} %"
