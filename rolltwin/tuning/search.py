"""The search: what a person would try, then what the sampler proposes, then a closer look at the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import monotonic

from reports.tune.card import Asked, Fate, Settings, Tried
from reports.tune.front import front, knee
from reports.tune.measures import Kinds
from reports.tune.words import point
from rolltwin.tuning.baselines import WRITTEN, baselines, stands
from rolltwin.tuning.kept import Kept
from rolltwin.tuning.sampling import propose
from rolltwin.tuning.trying import Bench, hopeless, only, replications, summary
from scenarios.findings import BadInput
from scenarios.settings import Editor, Parameter
from sim.model.scenario import Scenario

MOST_LOOKED_AT = 16
"""Settings at most that are looked at more closely after the search."""
CLOSER = 4
"""Times the replications that the search gave them."""

Progress = Callable[[int, int | None], None]
Values = Mapping[Parameter, str]


@dataclass
class Search:
    """A search under way."""

    asked: Asked
    editor: Editor
    bench: Bench
    kept: Kept
    progress: Progress
    looking: Progress
    """The same for the closer look."""
    deadline: float | None = None
    """Of the monotonic clock; None for none."""
    tried: list[Tried] = field(default_factory=list)
    _kinds: dict[int, Kinds] = field(default_factory=dict)
    """Replications of settings on the front, as far as they were asked for."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What is varied."""
        return tuple(item.parameter for item in self.editor.bound)

    def run(self) -> bool:
        """Try as many settings as asked for; whether there was the time."""
        self.tried = self.kept.read()[: self.asked.trials]
        ways = list(baselines(self.editor.bound))
        self.progress(len(self.tried), self.asked.trials)
        while len(self.tried) < self.asked.trials:
            if self.deadline is not None and monotonic() > self.deadline and len(self.tried) > 0:
                return False
            index = len(self.tried)
            origin, values = ways[index] if index < len(ways) else ("search", self._proposed())
            if origin == WRITTEN and not all(map(stands, self.editor.bound)):
                origin = "as written, as far as the ranges allow"
            self._keep(self._try(index, origin, values))
        return True

    def _proposed(self) -> Values:
        return propose(self.parameters, self.asked.objectives, self.tried, self.asked.seed)

    def _keep(self, one: Tried) -> None:
        self.kept.append(one)
        self.tried.append(one)
        self.progress(len(self.tried), self.asked.trials)

    def _try(self, index: int, origin: str, values: Values) -> Tried:
        settings = tuple((item.name, values[item]) for item in self.parameters)
        try:
            scenario = self.scenario(values)
        except BadInput as error:
            said = "; ".join(finding.message for finding in error.findings)
            return Tried(index, origin, settings, Fate.REFUSED, said, violations=(1.0,) * len(self.asked.constraints))

        def decide(kinds: Kinds, done: int) -> tuple[Fate, str] | None:
            return hopeless(self.asked, kinds, done, self._leaders)

        kinds, stop = replications(scenario, self.asked.looks, decide, self.bench)
        one = summary(self.asked, index, origin, settings, kinds, stop)
        if one.fate is Fate.COMPLETE and one.feasible:
            self._kinds[index] = kinds
        return one

    def scenario(self, values: Values) -> Scenario:
        """The scenario with these settings and only the kinds of release that matter here."""
        return only(self.editor.with_settings(values).scenario, self.asked.releases)

    def _leaders(self) -> list[tuple[int, Kinds]]:
        """The complete settings that none dominates so far, with their replications."""
        best = self.best([one for one in self.tried if one.fate is Fate.COMPLETE])
        return [(one.index, self._again(one, self.asked.looks[-1])) for one in best]

    def best(self, among: Sequence[Tried]) -> list[Tried]:
        """The feasible ones that none dominates."""
        feasible = [one for one in among if one.feasible]
        return [feasible[index] for index in front([point(self.asked, one) for one in feasible])]

    def _again(self, one: Tried, stop: int) -> Kinds:
        """So many replications of a setting: those that are kept are not run again."""
        known = self._kinds.get(one.index)
        if known is None or any(len(outcomes) < stop for outcomes in known.values()):
            known, _ = replications(self.scenario(self.values(one)), (stop,), _never, self.bench)
            self._kinds[one.index] = known
        return known

    def values(self, one: Tried) -> Values:
        """The setting by parameter."""
        return settings_of(self.parameters, one.settings)

    def finalists(self) -> list[Tried]:
        """The front, judged by ``CLOSER`` times as many replications as the search gave each of its settings.

        The best of many estimates is too good to be true; more replications take much of that away before the choice. What
        does not stand them makes room for what lay behind it, which is then looked at too, ``MOST_LOOKED_AT`` in all.
        """
        stop = CLOSER * self.asked.looks[-1]
        for done in count():
            best = self.best([one for one in self.tried if one.fate is Fate.COMPLETE])
            waiting = [one for one in best if one.replications < stop]
            if not waiting or done >= MOST_LOOKED_AT:
                return [one for one in best if one.replications >= stop]
            one = waiting[len(waiting) // 2]
            self.looking(done, None)
            self.tried[one.index] = summary(
                self.asked, one.index, one.origin, one.settings, self._again(one, stop), None
            )
        raise AssertionError

    def knee(self, found: Sequence[Tried]) -> Tried | None:
        """The one of them to take."""
        index = knee([point(self.asked, one) for one in found])
        return None if index is None else found[index]


def _never(_kinds: Kinds, _done: int) -> None:
    return None


def settings_of(parameters: Sequence[Parameter], settings: Settings) -> Values:
    """Values by parameter."""
    written = dict(settings)
    return {item: written[item.name] for item in parameters}
