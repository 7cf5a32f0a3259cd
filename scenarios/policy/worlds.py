"""The worlds that a policy's claims are about: its scenarios, at the rates of traffic and with the releases they name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from os.path import relpath
from pathlib import Path as File
from typing import Any

from scenarios.document.fields import SCENARIO_CODE
from scenarios.document.load import Loaded, from_manifests, is_scenario
from scenarios.document.load import load as load_scenario
from scenarios.document.source import Place, Source
from scenarios.findings import BadInput, Finding, Path, Severity
from scenarios.policy.claims import World
from scenarios.policy.making import release_name
from scenarios.policy.schema import WrittenClaim, WrittenPolicy, WrittenWorld


@dataclass(frozen=True)
class Override:
    """One value of a scenario that a policy changes, and where the policy says so."""

    text: str
    place: Place | None = None
    """None: it came from the command line."""


@dataclass
class Worlds:
    """Opens each world once; what is wrong with one is kept in ``findings``, each at its place."""

    source: Source
    written: WrittenPolicy
    overrides: tuple[str, ...] = ()
    """From the command line; the last word."""
    crds: File | None = None
    opened: list[World] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _known: dict[tuple[Override, ...], int | None] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What the scenarios are called."""
        return tuple(name_of(one) for one in self.written.scenarios if one.paths)

    def open(self, name: str, claim: WrittenClaim | None = None, path: Path = ()) -> int | None:
        """Number of the world that a claim about the scenario of this name is about; None if it cannot be opened."""
        index = self.names.index(name)
        changes = list(self._changes(index))
        if claim is not None:
            changes += self._claimed(claim, path)
        plain = self._opened(index, changes)
        if plain is None or claim is None or not claim.release.own:
            return plain
        mix = self.opened[plain].loaded.scenario.mix
        return self._opened(index, [*changes, self._release(claim, path, len(mix))])

    def _changes(self, index: int) -> Iterator[Override]:
        """Of all claims about a scenario."""
        yield Override(f"data_plane={self.written.data_plane}", self.source.position(("data_plane",)))
        one, path = self.written.scenarios[index], ("scenarios", index)
        for where, texts in ((("set",), self.written.set), ((*path, "set"), one.set)):
            yield from (Override(text, self.source.position((*where, i))) for i, text in enumerate(texts))
        if one.rollout:
            strategy = f"strategy={{kind: argo-rollout, rollout: {json.dumps(one.rollout)}}}"
            yield Override(strategy, self.source.position((*path, "rollout")))

    def _claimed(self, claim: WrittenClaim, path: Path) -> list[Override]:
        if claim.traffic is None:
            return []
        place = self.source.position((*path, "traffic"))
        return [Override(text, place) for text in flat(claim.traffic)]

    def _release(self, claim: WrittenClaim, path: Path, index: int) -> Override:
        """The claim's own release, put behind those of the scenario."""
        one = claim.release
        behaviour = dict(_raw_behaviour(self.source.data, path))
        if one.errors is not None:
            behaviour["statuses"] = {str(one.status): one.errors}
        if one.latency_factor is not None:
            slow = {"name": "slower", "kind": "slowdown", "factor": one.latency_factor}
            behaviour["faults"] = [*behaviour.get("faults", []), slow]
        value = {"name": release_name(one), "good": one.good, "share": 0 if index else 1, "behaviour": behaviour}
        return Override(f"releases[{index}]={json.dumps(value)}", self.source.position((*path, "release")))

    def _opened(self, index: int, changes: Sequence[Override]) -> int | None:
        key = (Override(str(index)), *(replace(change, place=None) for change in changes))
        if key not in self._known:
            self._known[key] = self._load(index, [*changes, *map(Override, self.overrides)])
        return self._known[key]

    def _load(self, index: int, changes: Sequence[Override]) -> int | None:
        one, path = self.written.scenarios[index], ("scenarios", index)
        files = [File(self.source.position((*path, "paths")).file).parent / name for name in one.paths]
        texts = [change.text for change in changes]
        try:
            loaded = self._read(files, texts, self.source.position(path))
        except BadInput as error:
            self.findings += _placed(error.findings, {f"--set {c.text}": c.place for c in changes})
            return None
        crds = [] if self.crds is None else ["--crds", shown(self.crds)]
        arguments = [*map(shown, files), *(word for text in texts for word in ("--set", text)), *crds]
        self.opened.append(World(name_of(one), loaded, tuple(arguments)))
        return len(self.opened) - 1

    def _read(self, files: Sequence[File], overrides: Sequence[str], place: Place) -> Loaded:
        for file in files:
            if not file.exists():
                hint = "paths are relative to the policy"
                raise BadInput([_finding(place, f"no such file or directory: {file}", hint)])
        if len(files) == 1 and is_scenario(files[0]):
            return load_scenario(files[0], overrides, self.crds)
        if any(map(is_scenario, files)):
            hint = "write it as an item of its own"
            raise BadInput([_finding(place, "a scenario file stands alone, without other paths", hint)])
        return from_manifests(files, overrides, self.crds)


def flat(rps: float | str) -> tuple[str, str]:
    """The overrides that offer a scenario so many requests a second, all the time; the scenario refuses what is no number."""
    rate = f"{rps:.12g}" if isinstance(rps, int | float) else rps
    return f"traffic.stages=[{{duration: 1h, rate: {rate}}}]", "traffic.diurnal=none"


def name_of(one: WrittenWorld) -> str:
    """What a scenario is called: as the policy says, else after its first path."""
    return one.name or File(one.paths[0]).stem or one.paths[0]


def shown(file: File) -> str:
    """A path as somebody in the working directory would write it."""
    path = file.resolve()
    return relpath(path) if path.is_relative_to(File.cwd()) else str(path)


def _raw_behaviour(data: Any, path: Path) -> dict[str, Any]:
    """The behaviour as written, for a scenario to read; {} for none."""
    for part in (*path, "release", "behaviour"):
        try:
            data = data[part]
        except (KeyError, TypeError, IndexError):
            return {}
    return data if isinstance(data, dict) else {}


def _placed(findings: Sequence[Finding], places: dict[str, Place | None]) -> Iterator[Finding]:
    """Those about overrides, where the policy writes these."""
    for finding in findings:
        place = places.get(finding.file)
        if place is None:
            yield finding
        else:
            yield replace(finding, file=place.file, line=place.line, column=place.column)


def _finding(place: Place, message: str, suggestion: str) -> Finding:
    return Finding(SCENARIO_CODE, Severity.ERROR, message, place.file, place.line, place.column, (), suggestion)
