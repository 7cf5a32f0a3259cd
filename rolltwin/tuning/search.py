"""The search: what a person would try, then what the sampler proposes, then a closer look at the best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from time import monotonic

from reports.tune.card import Asked, Fate, Settings, Tried
from reports.tune.front import front, knee
from reports.tune.measures import Kinds
from reports.tune.words import point
from rolltwin.tuning.baselines import WRITTEN, baselines, stands
from rolltwin.tuning.kept import Kept
from rolltwin.tuning.sampling import propose
from rolltwin.tuning.sharing import Bench, beside
from rolltwin.tuning.trying import behind, hopeless, only, replications, summary
from scenarios.findings import BadInput
from scenarios.settings import Editor, Parameter
from sim.model.scenario import Scenario

MOST_LOOKED_AT = 16
"""Settings at most that are looked at more closely after the search."""
CLOSER = 4
"""Times the replications that the search gave them."""

Progress = Callable[[int, int | None], None]
Values = Mapping[Parameter, str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One that is about to be tried."""

    index: int
    origin: str
    values: Values
    beside: int | None = None


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
        """Try as many settings as asked for, and others beside them; whether there was the time."""
        self.tried = list(_first(self.kept.read(), self.asked.trials))
        ways = list(baselines(self.editor.bound))
        if self.tried:
            self._try_beside()
        while (proposed := self._proposed()) < self.asked.trials:
            self.progress(proposed, self.asked.trials)
            if self.deadline is not None and monotonic() > self.deadline and proposed:
                return False
            origin, values = ways[proposed] if proposed < len(ways) else ("search", self._proposal())
            if origin == WRITTEN and not all(map(stands, self.editor.bound)):
                origin = "as written, as far as the ranges allow"
            self._try(Setting(len(self.tried), origin, values), self._family(len(self.tried), values))
            self._try_beside()
        self.progress(self.asked.trials, self.asked.trials)
        return True

    def _proposed(self) -> int:
        return sum(one.beside is None for one in self.tried)

    def _proposal(self) -> Values:
        return propose(self.parameters, self.asked, self.tried)

    def _family(self, lead: int, values: Values) -> tuple[Setting, ...]:
        """What is tried beside a setting."""
        others = beside(self.editor.bound, values, lead)
        return tuple(Setting(lead + place, "beside", one, lead) for place, one in enumerate(others, 1))

    def _try_beside(self) -> None:
        """What has not been tried yet beside the last proposal."""
        lead = next(one for one in reversed(self.tried) if one.beside is None)
        if lead.fate is Fate.REFUSED:
            return
        family = self._family(lead.index, self.values(lead))
        for place, one in enumerate(family):
            if one.index == len(self.tried):
                self._try(one, family[place + 1 :])

    def _try(self, setting: Setting, others: Sequence[Setting]) -> None:
        one = self._outcome(setting, others)
        self.kept.append(one)
        self.tried.append(one)

    def _outcome(self, setting: Setting, others: Sequence[Setting]) -> Tried:
        settings = tuple((item.name, setting.values[item]) for item in self.parameters)
        try:
            scenario = self.scenario(setting.values)
        except BadInput as error:
            said = "; ".join(finding.message for finding in error.findings)
            violations = (1.0,) * len(self.asked.constraints)
            return Tried(
                setting.index,
                setting.origin,
                settings,
                Fate.REFUSED,
                said,
                violations=violations,
                beside=setting.beside,
            )

        def decide(kinds: Kinds, done: int) -> tuple[Fate, str] | None:
            return hopeless(self.asked, kinds, done, self._leaders)

        kinds, stop = replications(scenario, self.asked.looks, decide, self.bench, self._readable(others))
        one = replace(summary(self.asked, setting.index, setting.origin, settings, kinds, stop), beside=setting.beside)
        if one.fate is Fate.COMPLETE and one.feasible:
            self._kinds[setting.index] = kinds
        return one

    def _readable(self, others: Sequence[Setting]) -> list[Scenario]:
        """Those that nothing refuses: why another one is, it says itself."""
        found = []
        for one in others:
            with suppress(BadInput):
                found.append(self.scenario(one.values))
        return found

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

    def _again(self, one: Tried, stop: int, others: Sequence[Scenario] = ()) -> Kinds:
        """So many replications of a setting: those that are kept are not run again."""
        known = self._kinds.get(one.index)
        if known is None or any(len(outcomes) < stop for outcomes in known.values()):
            known, _ = replications(self.scenario(self.values(one)), (stop,), _never, self.bench, others)
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
                return self._worth_their_place([one for one in best if one.replications >= stop])
            one = waiting[len(waiting) // 2]
            self.looking(done, None)
            others = [self.scenario(self.values(other)) for other in waiting if _relatives(one, other)]
            found = summary(self.asked, one.index, one.origin, one.settings, self._again(one, stop, others), None)
            self.tried[one.index] = replace(found, beside=one.beside)
        raise AssertionError

    def _worth_their_place(self, best: Sequence[Tried]) -> list[Tried]:
        """Without those that are behind another one in something and ahead of it in nothing, beyond doubt.

        They owe their place to luck: a hair less of one objective, which other releases would take away.
        """
        return [one for one in best if not any(self._outdone(one, other) for other in best)] or list(best)

    def _outdone(self, one: Tried, other: Tried) -> bool:
        ours, theirs = self._kinds[one.index], self._kinds[other.index]
        places = range(len(self.asked.objectives))
        worse = any(behind(self.asked, place, ours, theirs, self.asked.level) for place in places)
        return worse and not any(behind(self.asked, place, theirs, ours, self.asked.level) for place in places)

    def knee(self, found: Sequence[Tried]) -> Tried | None:
        """The one of them to take."""
        index = knee([point(self.asked, one) for one in found])
        return None if index is None else found[index]


def _relatives(one: Tried, other: Tried) -> bool:
    """Whether two settings differ in limits and thresholds alone."""
    return one is not other and (one.index if one.beside is None else one.beside) in {other.index, other.beside}


def _first(tried: Sequence[Tried], proposals: int) -> Iterator[Tried]:
    """So many proposals, with what was tried beside them."""
    proposed = 0
    for one in tried:
        proposed += one.beside is None
        if proposed > proposals:
            return
        yield one


def _never(_kinds: Kinds, _done: int) -> None:
    return None


def settings_of(parameters: Sequence[Parameter], settings: Settings) -> Values:
    """Values by parameter."""
    written = dict(settings)
    return {item: written[item.name] for item in parameters}
