"""Deciding a policy: replications in order, each claim stopped as soon as it is decided, each failure explained."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from reports.gate import means, why
from reports.gate.card import Example, Gate, Result
from reports.gate.chances import MOST, enough
from reports.gate.judging import Judged, Observed, judged, observed_of
from reports.gate.means import MeanState, MeanTest
from reports.gate.sprt import Answer, Sprt, State, Walk
from scenarios.findings import BadInput, Finding, Severity
from scenarios.policy.claims import Claim, Indicator, Policy, World
from sim.model.hashing import digest
from sim.model.operations import Command
from sim.model.records import RunResult, Verdict
from sim.model.scenario import Scenario
from sim.study import Cell, Engine, Replication, run_once, stream

Watch = Callable[["Deciding"], None]
Run = Callable[[Scenario, int, str], RunResult]
_POINTS = 400
"""Of the path of a mean that are kept for its figure."""


def test_of(claim: Claim) -> Sprt | MeanTest:
    """The test that decides the claim, with its truncation."""
    if claim.often is None:
        if not isinstance(claim.happening, Indicator):
            raise AssertionError(claim)
        most = means.MOST if claim.most is None else claim.most
        return MeanTest(claim.happening.relation, claim.happening.value, claim.margin, claim.rates, most)
    most = MOST if claim.most is None else claim.most
    test = Sprt(claim.often.kept, claim.margin, claim.rates, most, claim.tolerance)
    if claim.most is not None or test.fewest_to_pass > MOST:  # hopeless: ``refuse_hopeless`` says so
        return test
    return replace(test, most=enough(test))


def refuse_hopeless(policy: Policy) -> None:
    """BadInput with every claim that could not pass within the replications it is given, whatever they show."""
    hopeless = [(claim, test) for claim in policy.claims if (test := test_of(claim)).fewest_to_pass > test.most]
    if hopeless:
        raise BadInput(
            [
                Finding(
                    "RT800",
                    Severity.ERROR,
                    f"{claim.name!r} cannot pass within {test.most:,} replications, even if all keep it: {test.fewest_to_pass:,} are needed",
                    claim.place.file,
                    claim.place.line,
                    claim.place.column,
                    suggestion="allow more (max_replications), a tolerance, a wider margin or higher error rates",
                )
                for claim, test in hopeless
            ]
        )


def decide(
    policy: Policy, engine: Engine, *, store: Path | None = None, watch: Watch | None = None, run: Run | None = None
) -> Gate:
    """Every claim decided; the same answers whatever the engine. ``watch`` looks on, before the first and after each replication.

    Claims about one release in one world share its replications. ``run`` None is the twin. Raises as ``sim.study.stream``
    does.
    """
    refuse_hopeless(policy)
    deciding = Deciding(policy, run)
    if watch is not None:
        watch(deciding)
    for asked in deciding.questions():
        replications = stream(
            [asked.cell],
            policy.seed,
            observed_of,
            revive=Observed.from_json,
            engine=engine,
            store=store,
            stop=asked.most,
            run=run,
        )
        with closing(replications):
            for one in replications:
                if one.stratum == 0:
                    asked.see(one)
                    deciding.seen += 1
                    if watch is not None:
                        watch(deciding)
                if asked.decided:
                    break
    return deciding.explained()


class Deciding:
    """A policy on its way to being decided."""

    def __init__(self, policy: Policy, run: Run | None = None) -> None:
        self.policy = policy
        self._run = run
        self.tracks = [Track(claim, policy.worlds[claim.world].name, test_of(claim)) for claim in policy.claims]
        self.seen = 0

    def questions(self) -> Iterator[Question]:
        """The claims of each stream of replications, in the order of the policy."""
        groups: dict[str, Question] = {}
        for track in self.tracks:
            world = self.policy.worlds[track.claim.world]
            cell = cell_of(world, track.claim.release)
            groups.setdefault(digest(cell.scenario), Question(cell)).tracks.append(track)
        yield from groups.values()

    def gate(self) -> Gate:
        """What is known so far."""
        return Gate(self.policy, tuple(track.result() for track in self.tracks), self.seen, version=version("rolltwin"))

    def explained(self) -> Gate:
        """The end: a replication that breaks it is replayed for each claim that did not pass."""
        results = [self._explained(track) for track in self.tracks]
        return replace(self.gate(), results=tuple(results))

    def _explained(self, track: Track) -> Result:
        result = track.result()
        if track.broken_by is None:
            return result
        world = self.policy.worlds[track.claim.world]
        command = replay_command(world, track.claim.release, track.broken_by)
        if result.answer is Answer.PASSED:
            return replace(result, example=Example(track.broken_by, command, "breaks it"))
        loaded = world.loaded.with_release(track.claim.release)
        run = (self._run or _twin)(loaded.scenario, track.broken_by, loaded.hash)
        happened = why.happened(track.claim, run)
        return replace(
            result, example=Example(track.broken_by, command, happened, why.conditions(run, loaded.documents))
        )


def cell_of(world: World, release: str) -> Cell:
    """The world with this release alone (and those that an operation applies, which share its replications)."""
    scenario: Scenario = world.loaded.with_release(release).scenario
    applied = {item.release for item in scenario.operations if item.do is Command.APPLY}
    mix = (scenario.release, *(item for item in scenario.mix if item.name in applied - {release}))
    return Cell(world.name, scenario.variant, replace(scenario, mix=mix))


def _twin(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:  # noqa: ARG001 - as every run
    return run_once(scenario, seed)


def replay_command(world: World, release: str, seed: int) -> str:
    """What shows one replication, step by step."""
    return shlex.join(["rolltwin", "run", *world.arguments, "--release", release, "--seed", str(seed)])


@dataclass
class Question:
    """The claims that one stream of replications answers."""

    cell: Cell
    tracks: list[Track] = field(default_factory=list)

    @property
    def most(self) -> int:
        """Replications after which all claims are decided."""
        return max(track.test.most for track in self.tracks)

    @property
    def decided(self) -> bool:
        """Whether no claim needs more."""
        return all(track.answer.final for track in self.tracks)

    def see(self, one: Replication[Observed]) -> None:
        """Show a replication to the claims that are still open."""
        for track in self.tracks:
            track.see(one)


@dataclass
class Track:
    """One claim's test under way."""

    claim: Claim
    scenario: str
    test: Sprt | MeanTest
    state: State | MeanState = field(init=False)
    breaks: list[int] = field(default_factory=list)
    means: list[tuple[int, float, float, float]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    absent: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    broken_by: int | None = None
    """Seed of the first replication that breaks the claim."""

    def __post_init__(self) -> None:
        self.state = State() if isinstance(self.test, Sprt) else MeanState()
        self._walk = Walk(self.test) if isinstance(self.test, Sprt) else None

    @property
    def answer(self) -> Answer:
        """What is known."""
        return self.state.answer

    def see(self, one: Replication[Observed]) -> None:
        """One more replication, unless the claim is decided."""
        if self.answer.final:
            return
        found = judged(self.claim, one.value)
        self._step(found)
        if found.value is None:
            self.absent += 1
        else:
            self.values.append(found.value)
        if not found.kept:
            self.breaks.append(self.absent + len(self.values))
            self.verdicts[one.value.outcome.verdict] += 1
            self.broken_by = one.seed if self.broken_by is None else self.broken_by

    def _step(self, found: Judged) -> None:
        if self._walk is not None and isinstance(self.state, State):
            self.state = self._walk.after(self.state, kept=found.kept)
        elif isinstance(self.test, MeanTest) and isinstance(self.state, MeanState):
            self.state = means.after(self.test, self.state, found.value, lower_bound=found.lower_bound)
            if self.state.seen >= means.FIRST:
                low, high = means.limits(self.test, self.state)
                self.means.append((self.state.seen, low, self.state.mean, high))

    def result(self) -> Result:
        """What is known so far."""
        return Result(
            self.claim, self.scenario, self.test, self.state, tuple(self.breaks), _thinned(self.means), tuple(self.values),
            self.absent, tuple(self.verdicts.most_common()),
        )  # fmt: skip


def _thinned(points: Sequence[tuple[int, float, float, float]]) -> tuple[tuple[int, float, float, float], ...]:
    """So many that a figure shows no less."""
    step = max(1, len(points) // _POINTS)
    return (*points[::step], points[-1]) if points else ()
