"""Both worlds of a comparison: the cluster's runs, fresh or recorded, and the twin's replications of the same scenarios."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os.path import relpath
from pathlib import Path
from time import monotonic

from harness import backend
from harness.backend import ClusterSide
from harness.choices import Choices, Conditions
from harness.profile import Profile, profile, profiled
from reports.numbers import length
from reports.verify import recorded
from reports.verify.card import ClusterRun, Pairing
from reports.verify.facts import Facts, facts_of
from reports.verify.recorded import Meta, Recorded
from reports.verify.thresholds import Thresholds
from scenarios.compression import Compression
from scenarios.document import Loaded
from scenarios.findings import BadInput, Finding, Severity
from sim.model.operations import Command
from sim.model.records import RunResult
from sim.model.scenario import Cluster, Scenario
from sim.study import Cell, Engine, replication_seed, run_study
from sim.study.runs import Progress


@dataclass(frozen=True)
class Subject:
    """One scenario with one kind of release, as both worlds run it."""

    paths: tuple[Path, ...]
    overrides: tuple[str, ...]
    written: Loaded
    """Before time was compressed."""
    run: Compression
    near: bool | None = None
    """Whether it was stated to be near a threshold when it was recorded; None: the thresholds say."""
    runs: tuple[ClusterRun, ...] = ()
    adaptations: tuple[str, ...] = ()
    profile: Profile | None = None
    """The cluster's own delays, where the twin gets them in place of the scenario's."""

    @property
    def scenario(self) -> Scenario:
        """What is run."""
        return self.run.loaded.scenario

    @property
    def twins(self) -> Scenario:
        """What the twin runs: the same, on the same cluster."""
        return self.scenario if self.profile is None else profiled(self.scenario, self.profile)

    def on(self, cluster: Profile | None) -> Subject:
        """With the delays of this cluster; None: those of kind, unless the scenario has said something of its cluster."""
        unsaid = self.written.scenario.cluster == Cluster()
        return replace(self, profile=cluster or (profile() if unsaid else None))


def read_recorded(folders: Sequence[Path], scenarios: Sequence[Path]) -> list[Subject]:
    """The recorded runs by scenario, release and compression; only of these scenarios, if any are named."""
    groups: dict[tuple[tuple[Path, ...], tuple[str, ...], str, float], list[Recorded]] = {}
    wanted = {path.resolve() for path in scenarios}
    for one in recorded.read_all(folders):
        if not wanted or not wanted.isdisjoint(path.resolve() for path in one.files):
            key = (one.files, one.meta.overrides, one.meta.release, one.meta.compression)
            groups.setdefault(key, []).append(one)
    if not groups:
        message, hint = "no run of these scenarios was recorded there", "name no scenario to compare every run"
        raise BadInput([Finding("RT800", Severity.ERROR, message, str(folders[0]), suggestion=hint)])
    return [_subject(group) for group in groups.values()]


def _subject(group: Sequence[Recorded]) -> Subject:
    first, made = group[0], group[0].scenario()
    return Subject(
        paths=first.files,
        overrides=first.meta.overrides,
        written=made.loaded,
        run=made,
        near=any(one.meta.near_threshold for one in group),
        runs=tuple(ClusterRun(one.folder.name, facts_of(one.result), _stated(one.meta)) for one in group),
        adaptations=first.meta.adaptations,
    )


def _stated(meta: Meta) -> tuple[tuple[str, str], ...]:
    decided = (("decided by", meta.controller), ("recorded", meta.recorded))
    return (*((name, text) for name, text in decided if text), *meta.versions, *meta.machine)


def on_cluster(  # noqa: PLR0913, PLR0917 - what is run, where, and where it is kept
    subjects: Sequence[Subject], choices: Choices, asked: Thresholds, runs: int, seed: int, kept: Path
) -> tuple[list[Subject], int]:
    """Every subject with its runs, each kept in a folder of its own as it ends; and how many never came about.

    KeyboardInterrupt says how to go on with what is there.
    """
    found: list[Subject] = list(subjects)
    done = lost = 0
    with backend.on_cluster(choices) as side:
        for index in range(runs):
            for place, subject in enumerate(subjects):
                try:
                    run = _run(side, subject, asked, replication_seed(seed, subject.scenario.release.name, index), kept)
                except backend.FAILURES as error:
                    notes = "\n".join([str(error), *getattr(error, "__notes__", [])])
                    _say(f"a run of {subject.scenario.name} never came about: {notes}")
                    lost += 1
                except KeyboardInterrupt:
                    hint = f"{done} of {runs * len(subjects)} runs are kept; compare them with: rolltwin verify --recorded {kept}"
                    raise KeyboardInterrupt(hint) from None
                else:
                    done += 1
                    adaptations = side.conditions().adaptations
                    found[place] = replace(found[place], runs=(*found[place].runs, run), adaptations=adaptations)
    return [subject for subject in found if subject.runs], lost


def _run(side: ClusterSide, subject: Subject, asked: Thresholds, seed: int, kept: Path) -> ClusterRun:
    name, began = f"{subject.scenario.name}-{seed}".replace("/", "_"), monotonic()
    _say(f"{name} is under way, at most {length(subject.scenario.warm_up_s + subject.scenario.horizon_s)} and set-up")
    result = side.run(subject.run.loaded, seed)
    meta = _meta(subject, asked, seed, side.conditions(), kept / name)
    recorded.write_one(kept / name, meta, result)
    _say(f"{name} took {length(monotonic() - began)}: {_ending(result)}")
    return ClusterRun(name, facts_of(result), _stated(meta))


def _ending(result: RunResult) -> str:
    return f"{result.verdict.value} after {length(result.ended_s)}: {result.reason or '-'}"


def _meta(subject: Subject, asked: Thresholds, seed: int, conditions: Conditions, folder: Path) -> Meta:
    return Meta(
        scenario=tuple(Path(relpath(path, folder)).as_posix() for path in subject.paths),
        release=subject.scenario.release.name,
        seed=seed,
        sources=recorded.digest_of(subject.written),
        controller=conditions.controller,
        compression=subject.run.factor,
        overrides=subject.overrides,
        near_threshold=subject.scenario.name in asked.near.scenarios,
        recorded=datetime.now(UTC).date().isoformat(),
        versions=conditions.versions,
        machine=conditions.machine,
        adaptations=conditions.adaptations,
    )


def with_twin(  # noqa: PLR0913, PLR0917 - as run_study
    subjects: Sequence[Subject],
    asked: Thresholds,
    replications: int,
    seed: int,
    engine: Engine,
    store: Path,
    progress: Progress,
) -> list[Pairing]:
    """Each subject with so many replications of the twin; finished ones are kept, an interrupted study goes on."""
    cells = [Cell(one.scenario.name, one.scenario.variant, _alone(one.twins)) for one in subjects]
    study = run_study(
        cells,
        replications,
        seed,
        facts_of,
        revive=Facts.from_json,
        engine=engine,
        store=store,
        progress=progress,
    )
    return [
        _pairing(
            subject,
            asked,
            next(tuple(s.values) for s in cell.strata if s.stratum.name == subject.scenario.release.name),
        )
        for subject, cell in zip(subjects, study.cells, strict=True)
    ]


def _alone(scenario: Scenario) -> Scenario:
    """The scenario with its one release; those of the mix stay where somebody applies another of them later."""
    later = any(one.do is Command.APPLY for one in scenario.operations)
    return scenario if later else replace(scenario, mix=())


def _pairing(subject: Subject, asked: Thresholds, twin: tuple[Facts, ...]) -> Pairing:
    scenario = subject.scenario
    return Pairing(
        name=scenario.name,
        title=scenario.title,
        release=scenario.release.name,
        good=scenario.release.good,
        near=scenario.name in asked.near.scenarios if subject.near is None else subject.near,
        compression=subject.run.factor,
        twin=twin,
        cluster=subject.runs,
        statements=tuple(_statements(subject)),
    )


def _statements(subject: Subject) -> Iterator[str]:
    yield from subject.run.statements
    if subject.profile is not None:
        yield f"The twin's cluster has the delays of a measured one in place of the scenario's ({subject.profile.source})."
    yield from subject.adaptations


def _say(text: str) -> None:
    print(f"rolltwin verify: {text}", file=sys.stderr, flush=True)
