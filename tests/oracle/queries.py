"""Random well-typed queries over the series of ``data``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

from tests.oracle.data import BEGIN_MS, END_MS

DURATIONS: Final = ("15s", "30s", "47s", "1m", "100s", "2m30s", "5m", "7m", "11m")
OVER_TIME: Final = ("avg", "min", "max", "sum", "count", "stddev", "stdvar", "last", "present")
MAPPED: Final = ("abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "deg", "rad", "atan",
                 "tanh", "asinh", "round", "minute", "day_of_week", "month", "days_in_month", "timestamp")  # fmt: skip
AGGREGATES: Final = ("sum", "avg", "min", "max", "count", "stddev", "stdvar", "group")
LABELS: Final = ("pod", "zone", "code", "le", "team", "nothing")


def queries(seed: int, count: int) -> Iterator[str]:
    """So many queries, always the same of one seed."""
    dice = random.Random(seed)  # noqa: S311  # test data
    writer = _Writer(dice)
    for _ in range(count):
        yield writer.vector(3) if dice.random() < 0.95 else writer.scalar(2)


class _Writer:
    """Writes expressions of at most a depth."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._choice: Callable[..., str] = dice.choice

    def vector(self, depth: int) -> str:
        """An instant vector."""
        if depth == 0:
            return self._selector() + self._when()
        kinds = (
            self._over_range, self._over_range, self._over_range, self._aggregate, self._aggregate, self._mapped,
            self._scaled, self._matched, self._set, self._histogram, self._relabelled, self._ranked, self._lone,
        )  # fmt: skip
        return self._dice.choice(kinds)(depth - 1)

    def scalar(self, depth: int) -> str:
        """A scalar."""
        if depth == 0 or self._dice.random() < 0.6:
            return self._choice(("0", "1", "2.5", "-3", "1e3", "0.1", "pi()"))
        if self._dice.random() < 0.5:
            return f"scalar({self.vector(depth - 1)})"
        return f"({self.scalar(depth - 1)} {self._choice('+-*/%^')} {self.scalar(depth - 1)})"

    def _selector(self) -> str:
        name = self._choice(("c", "c", "g", "g2", "h_bucket", "owner", "missing"))
        matchers = ("", "", '{pod="a-1"}', '{pod!="z-0"}', '{pod=~"[a-m].*"}', '{pod!~".-[12]", zone="x"}', '{zone=""}')
        return name + self._choice(matchers)

    def _when(self) -> str:
        offset = self._choice(("", "", "", " offset 1m", " offset 95s", " offset -2m"))
        at = self._dice.randrange(BEGIN_MS, END_MS) / 1000
        return offset + self._choice(("", "", "", f" @ {at:.3f}", " @ end()", " @ start()"))

    def _range(self, depth: int) -> str:
        width = self._choice(DURATIONS)
        if depth > 0 and self._dice.random() < 0.25:
            step = self._choice(("", "15s", "40s", "1m"))
            return f"({self.vector(depth - 1)})[{width}:{step}]{self._when()}"
        return f"{self._selector()}[{width}]{self._when()}"

    def _over_range(self, depth: int) -> str:
        over = self._range(depth)
        kind = self._dice.randrange(9)
        if kind < 4:
            return f"{self._choice(('rate', 'increase', 'delta', 'irate', 'idelta'))}({over})"
        if kind < 6:
            return f"{self._choice(OVER_TIME)}_over_time({over})"
        if kind < 7:
            return f"quantile_over_time({self._choice(('0', '0.5', '0.93', '1', '-1', '2'))}, {over})"
        if kind < 8:
            return f"{self._choice(('changes', 'resets', 'deriv'))}({over})"
        # Without @: with it, range queries of 2.x give the first step alone.
        return f"predict_linear({self._selector()}[{self._choice(DURATIONS)}], {self._choice(('60', '-30', '600'))})"

    def _grouping(self) -> str:
        names = ", ".join(self._dice.sample(LABELS, self._dice.randint(0, 2)))
        return self._choice(("", f" by ({names})", f" without ({names})"))

    def _aggregate(self, depth: int) -> str:
        if self._dice.random() < 0.15:
            return f"quantile{self._grouping()} ({self._choice(('0.1', '0.5', '0.99', '-1'))}, {self.vector(depth)})"
        if self._dice.random() < 0.08:
            # Of samples as they are: what is computed may differ in its last digit.
            return f'count_values{self._grouping()} ("value", {self._selector()}{self._when()})'
        return f"{self._choice(AGGREGATES)}{self._grouping()} ({self.vector(depth)})"

    def _ranked(self, depth: int) -> str:
        if self._dice.random() < 0.3:
            return f"{self._choice(('sort', 'sort_desc'))}({self.vector(depth)})"
        # Of rows in a known order: the server has several kinds of answers in a map's.
        rows = f"{self._choice(('last_over_time', 'max_over_time', 'min_over_time'))}({self._range(0)})"
        return f"{self._choice(('topk', 'bottomk'))}{self._grouping()} ({self._choice('01235')}, {rows})"

    def _mapped(self, depth: int) -> str:
        if self._dice.random() < 0.2:
            return f"clamp({self.vector(depth)}, {self._choice(('-5', '0', '2'))}, {self._choice(('1', '7', 'NaN'))})"
        return f"{self._choice(MAPPED)}({self.vector(depth)})"

    def _scaled(self, depth: int) -> str:
        op = self._choice(("+", "-", "*", "/", "%", "^", ">", "<=", "!=", "> bool", "== bool"))
        sides = [f"({self.vector(depth)})", self.scalar(1)]
        self._dice.shuffle(sides)
        return f"{sides[0]} {op} {sides[1]}"

    def _matching(self) -> str:
        names = ", ".join(self._dice.sample(LABELS, self._dice.randint(0, 2)))
        return self._choice(("", "", " on (pod)", f" on ({names})", f" ignoring ({names})"))

    def _matched(self, depth: int) -> str:
        op = self._choice(("+", "-", "*", "/", "^", ">", "<", "> bool"))
        if self._dice.random() < 0.4:
            many = f"{op} on (pod) group_left (team)"
            return f"({self.vector(depth)}) {many} owner"
        return f"({self.vector(depth)}) {op}{self._matching()} ({self.vector(depth)})"

    def _set(self, depth: int) -> str:
        op = self._choice(("and", "or", "unless"))
        return f"({self.vector(depth)}) {op}{self._matching()} ({self.vector(depth)})"

    def _histogram(self, depth: int) -> str:
        q = self._choice(("0", "0.5", "0.9", "0.99", "1", "2"))
        inner = f"h_bucket{self._when()}" if depth == 0 else f"rate(h_bucket[{self._choice(DURATIONS)}]{self._when()})"
        return f"histogram_quantile({q}, {self._choice(('', 'sum by (le) ', 'sum without (pod) '))}({inner}))"

    def _relabelled(self, depth: int) -> str:
        if self._dice.random() < 0.5:
            return f'label_join({self.vector(depth)}, "made", "/", "pod", "zone", "nothing")'
        pattern = self._choice(("(.*)-(.*)", "([a-m])-.", "q-(?P<n>.)", "x"))
        return f'label_replace({self.vector(depth)}, "made", "$2-$1", "pod", "{pattern}")'

    def _lone(self, depth: int) -> str:
        if self._dice.random() < 0.5:
            return f"absent({self.vector(depth)})"
        return self._choice(
            (
                f"-({self.vector(depth)})",
                f"vector({self.scalar(1)})",
                "vector(time())",
                f"absent_over_time({self._range(0)})",
            )
        )
