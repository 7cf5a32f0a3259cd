"""Claims about rollouts in tests: ``rolltwin.release("errors-5").on("k8s/").is_aborted_within("6m", in_at_least=0.99)``.

What the ``rolltwin`` fixture gives. Each assertion is a claim of a policy, decided by the same test as ``rolltwin gate``
does, and fails in the same words.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reports.findings import render
from reports.gate import words
from reports.gate.card import Gate, Result
from reports.gate.sprt import Answer
from rolltwin import gating
from scenarios.document.source import Place, Source
from scenarios.findings import BadInput
from scenarios.policy.claims import Policy
from scenarios.policy.load import Instead, load, policy_of
from scenarios.policy.schema import SCHEMA
from sim.study import Processes, Serial

Note = Callable[[str, str], None]
"""Takes the claim and what was found, for the test's report."""


@dataclass(frozen=True)
class Session:
    """How claims are decided: by so many workers, replications kept in a store."""

    workers: int = 1
    store: Path | None = None

    def decide(self, policy: Policy) -> Gate:
        """Every claim decided."""
        with Serial() if self.workers == 1 else Processes(self.workers) as engine:
            return gating.decide(policy, engine, store=self.store)


class RolloutError(AssertionError):
    """A claim that failed, or could not be decided; the message says why and how to replay it."""


@dataclass(frozen=True)
class Rolltwin:
    """The fixture: where to look for scenarios, and what the test's marker says of all its claims."""

    folder: Path
    session: Session = Session()
    paths: tuple[str, ...] = ()
    rps: float | None = None
    options: dict[str, Any] = field(default_factory=dict)
    """Of the policy: seed, set, max_replications, error_rates, tolerance, data_plane."""
    note: Note = lambda claim, found: None  # noqa: ARG005 - nobody listens

    def release(self, name: str = "", **own: Any) -> Asking:
        """Claims about a release of the scenario, or one of the test's own: ``release(errors=0.05)``."""
        return Asking(self, {**({"name": name} if name else {}), **own}, self.paths, self.rps)

    def policy(self, file: str | Path, *overrides: str) -> None:
        """Every claim of a policy file; ``overrides`` are KEY=VALUE.

        What the test's marker says stands for what the file says; its traffic is that of claims for which the file has none.
        """
        __tracebackhide__ = True
        instead = Instead(self.options, _caller(2), self.rps)
        self._assert(_usable(lambda: load(self.folder / file, overrides, instead=instead)))

    def _assert(self, policy: Policy) -> None:
        __tracebackhide__ = True
        gate = _usable(lambda: self.session.decide(policy))
        for result in gate.results:
            self.note(result.claim.name, f"{result.answer.value}: {words.message(result)}")
        broken = [result for result in gate.results if result.answer is not Answer.PASSED]
        if broken:
            raise RolloutError("\n\n".join(map(report, broken)))


@dataclass(frozen=True)
class Asking:
    """One release, in one scenario; each ``is_...`` and ``has_...`` asserts a claim about it."""

    twin: Rolltwin
    own: dict[str, Any]
    paths: tuple[str, ...]
    rps: float | None
    overrides: tuple[str, ...] = ()

    def on(self, *paths: str | Path) -> Asking:
        """In this scenario, or with these manifests, relative to the test's file."""
        return replace(self, paths=tuple(map(str, paths)))

    def at_rps(self, rps: float) -> Asking:
        """With so many requests a second, flat."""
        return replace(self, rps=rps)

    def where(self, *overrides: str) -> Asking:
        """With these values of the scenario changed, KEY=VALUE each."""
        return replace(self, overrides=(*self.overrides, *overrides))

    def is_aborted(self, **often: Any) -> None:
        """A gate, a deadline or a person stops it; ``in_at_least=`` or ``in_at_most=`` a share of the replications."""
        __tracebackhide__ = True
        self._claim({"aborted": True, **often})

    def is_aborted_within(self, time: str, **often: Any) -> None:
        """The same, so soon after the apply."""
        __tracebackhide__ = True
        self._claim({"aborted_within": time, **often})

    def is_promoted(self, **often: Any) -> None:
        """It is promoted and not taken back."""
        __tracebackhide__ = True
        self._claim({"promoted": True, **often})

    def is_promoted_within(self, time: str, **often: Any) -> None:
        """The same, serving everybody so soon after the apply."""
        __tracebackhide__ = True
        self._claim({"promoted_within": time, **often})

    def is_falsely_aborted(self, **often: Any) -> None:
        """A good release is aborted, rejected or left stuck."""
        __tracebackhide__ = True
        self._claim({"falsely_aborted": True, **often})

    def is_missed(self, **often: Any) -> None:
        """A bad release comes to serve everybody."""
        __tracebackhide__ = True
        self._claim({"missed": True, **often})

    def has(self, indicator: str, bound: str, **often: Any) -> None:
        """An indicator within a bound such as ``<= 2000``."""
        __tracebackhide__ = True
        self._claim({indicator: bound, **often})

    def has_mean(self, indicator: str, bound: str, **options: Any) -> None:
        """An indicator whose mean over replications is within a bound."""
        __tracebackhide__ = True
        self._claim({indicator: bound, "mean": True, **options})

    def _claim(self, fields: dict[str, Any]) -> None:
        __tracebackhide__ = True
        data: dict[str, Any] = {
            "schema": SCHEMA,
            "scenarios": [{"paths": list(self.paths), "set": list(self.overrides)}],
            "claims": [{"release": self.own, **({} if self.rps is None else {"traffic": self.rps}), **fields}],
            **self.twin.options,
        }
        place = _caller(3)
        source = Source(data, {(): replace(place, file=str(self.twin.folder / "x")), ("claims",): place}, place.file)
        policy = _usable(lambda: policy_of(source))
        self.twin._assert(policy)  # noqa: SLF001 - the fixture and its questions are one


def report(result: Result) -> str:
    """What a test that fails says."""
    found = f"{words.MARKS[result.answer]}: {result.claim.name}"
    return "\n".join([found, *("  " + line for line in words.message(result).splitlines())])


def _usable(make: Callable[[], Any]) -> Any:
    """What is made; of unusable input everything that is wrong with it, as the test's failure."""
    __tracebackhide__ = True
    try:
        return make()
    except BadInput as error:
        findings: Sequence[Any] = error.findings
    raise RolloutError(render(findings, (), "text"))


def _caller(depth: int) -> Place:
    """The line of the test that makes the claim, so many calls up from here."""
    frame = sys._getframe(depth)  # noqa: SLF001 - pytest's own way to a test's line
    return Place(frame.f_code.co_filename, frame.f_lineno, 1)
