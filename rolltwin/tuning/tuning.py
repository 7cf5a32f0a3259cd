"""One tuning from the question to its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reports.outcome import outcome_of
from reports.scorecard import About
from reports.tune.card import Asked, HeldOut, Tried, Tuning
from rolltwin.tuning.finishing import held_out, held_out_seed
from rolltwin.tuning.kept import Kept
from rolltwin.tuning.sampling import importances
from rolltwin.tuning.search import Search
from rolltwin.tuning.sharing import Bench
from rolltwin.tuning.trying import only, replications, summary
from scenarios.settings import Editor, patch
from sim.model.hashing import digest
from sim.model.scenario import Scenario
from sim.study import Engine
from sim.study.code import work_digest

Progress = Callable[[str, int, int | None], None]
"""What is counted, how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Means:
    """Who runs replications, where everything is kept, and how long it may take."""

    engine: Engine
    store: Path
    storage: str
    deadline: float | None
    held_out: int | None
    about: About
    progress: Progress


def tune(asked: Asked, editor: Editor, means: Means) -> Tuning:
    """Search, look closer at the best, choose, and compare the choice with the policy as written on fresh releases."""
    bench = Bench(asked.seed, means.engine, means.store)
    parameters = tuple(item.parameter for item in editor.bound)
    kept = Kept(means.storage, _key(asked), parameters, asked.objectives)
    search = Search(
        asked,
        editor,
        bench,
        kept,
        lambda done, total: means.progress("settings", done, total),
        lambda done, total: means.progress("looked at closely", done, total),
        means.deadline,
    )
    finished = search.run()
    written = only(editor.loaded.scenario, asked.releases)
    front = tuple(search.finalists())
    knee = search.knee(front)
    found = None if knee is None else patch(editor.loaded, search.values(knee), editor)
    return Tuning(
        asked=asked,
        tried=tuple(search.tried),
        written=_written(asked, written, bench),
        front=front,
        knee=knee,
        held_out=None if knee is None else _held_out(asked, written, search.scenario(search.values(knee)), means),
        patch="" if found is None else found.text,
        apply="" if found is None else found.command,
        unwritten=() if found is None else found.unwritten,
        importances=importances(parameters, asked.objectives, search.tried),
        about=means.about,
        unfinished="" if finished else "The time was up",
    )


def _written(asked: Asked, scenario: Scenario, bench: Bench) -> Tried:
    """The policy as written, in as many replications as a setting gets."""
    kinds, stop = replications(scenario, asked.looks[-1:], lambda _kinds, _done: None, bench)
    settings = tuple((name, written) for name, _, written, _ in asked.space)
    return summary(asked, -1, "as written", settings, kinds, stop)


def _held_out(asked: Asked, before: Scenario, after: Scenario, means: Means) -> HeldOut | None:
    if means.held_out == 0:
        return None
    bench = Bench(held_out_seed(asked.seed), means.engine, means.store)
    return held_out(
        asked,
        before,
        after,
        means.held_out,
        bench,
        lambda done: means.progress("held-out releases", done, means.held_out),
    )


def _key(asked: Asked) -> str:
    """Identity of a search: what was asked, of which scenario, with which code; not how many settings."""
    question = [
        [item.text for item in asked.objectives],
        [item.text for item in asked.constraints],
        [[name, values] for name, values, _, _ in asked.space],
        asked.scenario_hash,
        asked.seed,
        asked.looks,
        asked.sampler,
        work_digest((outcome_of, _key)),
    ]
    return f"rolltwin {digest(question)}"
