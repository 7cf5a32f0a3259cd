"""From a path to a frozen ``Policy``; every error of the file, and of the scenarios it names, at once as ``BadInput``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import Any

from scenarios.document.fields import INVALID, Reader, nearest
from scenarios.document.source import Place, Source, parse_text
from scenarios.findings import BadInput, Path
from scenarios.manifests.source import read_text
from scenarios.policy.checks import alone, fitting, repeated
from scenarios.policy.claims import Claim, Policy, Rates
from scenarios.policy.making import claim_of, rates_of
from scenarios.policy.schema import POLICY, SCHEMA, WrittenClaim, WrittenPolicy
from scenarios.policy.worlds import Worlds, flat

_WANTED = f"a policy: expected one mapping that begins with schema: {SCHEMA}"


@dataclass(frozen=True)
class Instead:
    """What stands for parts of a policy file, and the line that says so."""

    fields: Mapping[str, Any]
    """Of the policy; those of ``set`` come behind the file's own."""
    place: Place
    rps: float | None = None
    """Traffic where neither a claim nor the policy's own ``set`` says more."""


def load(file: File, overrides: Sequence[str] = (), crds: File | None = None, instead: Instead | None = None) -> Policy:
    """The policy at ``file``; ``overrides`` (key=value) change every scenario. BadInput with every error."""
    text, unreadable = read_text(file)
    if unreadable is not None:
        raise BadInput([unreadable])
    source = parse_text(text, str(file), _WANTED)
    return policy_of(source if instead is None else _changed(source, instead), overrides, crds)


def _changed(source: Source, instead: Instead) -> Source:
    own, added = source.data.get("set", []), instead.fields.get("set", [])
    data = {**source.data, **instead.fields}
    if isinstance(own, list) and isinstance(added, list):
        # In front: whatever the policy sets itself is said of it in particular.
        data["set"] = [*([] if instead.rps is None else flat(instead.rps)), *own, *added]
    places = source.places | {(key,): instead.place for key in instead.fields}
    # Behind what is in front of them they stand no longer where they are written.
    moved = {path: place for path, place in places.items() if path[:1] != ("set",) or len(path) == 1}
    return replace(source, data=data, places=moved)


def policy_of(source: Source, overrides: Sequence[str] = (), crds: File | None = None) -> Policy:
    """The policy that a source holds; paths in it are relative to its file. BadInput with every error."""
    reader = Reader(source, [*source.findings])
    written = POLICY.read(source.data, (), reader)
    draft = POLICY.read(source.data, (), Reader(source, lenient=True)) if written is INVALID else written
    if draft is INVALID:
        raise BadInput(reader.findings)
    worlds = Worlds(source, draft, tuple(overrides), crds)
    claims = _all(draft, worlds, reader, whole=written is not INVALID)
    if reader.findings or worlds.findings or written is INVALID:
        raise BadInput((*reader.findings, *worlds.findings))
    title = draft.title or File(source.file).stem
    rates = draft.error_rates
    return Policy(title, source.file, tuple(worlds.opened), claims, rates, rates.of, draft.seed)


def _all(written: WrittenPolicy, worlds: Worlds, reader: Reader, *, whole: bool) -> tuple[Claim, ...]:
    """Every claim about every scenario; of a policy with invalid parts only the scenarios are looked at."""
    named: list[tuple[Path, str]] = [(("scenarios", index), name) for index, name in enumerate(worlds.names)]
    problems = [*repeated(named, "scenarios"), *alone(written)] if whole else []
    for path, message, suggestion in problems:
        reader.fail(path, message, suggestion)
    for name in dict.fromkeys(worlds.names) if whole or _all_readable(written, worlds.source) else ():
        worlds.open(name)
    if problems or not whole:
        return ()
    asked = list(_asked(written, worlds, reader))
    rates = rates_of(written, len(asked))
    posed = [(one.path, claim) for one in asked if (claim := one.claim(written, rates, worlds, reader)) is not None]
    for path, message, suggestion in repeated([(path, claim.name) for path, claim in posed], "claims"):
        reader.fail(path, message, suggestion)
    return tuple(claim for _, claim in posed)


def _all_readable(written: WrittenPolicy, source: Source) -> bool:
    """Whether no scenario was left out of a draft, so that each stands where it is written."""
    raw = source.data.get("scenarios")
    whole = isinstance(raw, list) and len(written.scenarios) == len(raw)
    return whole and all(one.paths for one in written.scenarios)


@dataclass(frozen=True)
class _Asked:
    """One claim about one scenario."""

    path: Path
    one: WrittenClaim
    scenario: str

    def claim(self, written: WrittenPolicy, rates: Rates, worlds: Worlds, reader: Reader) -> Claim | None:
        """The claim; None, with what is wrong, if it cannot be asked."""
        world = worlds.open(self.scenario, self.one, self.path)
        if world is None:
            return None
        place = reader.source.position(self.path)
        claim = claim_of(self.one, written, rates, world, place)
        problems = list(fitting(claim, worlds.opened[world].loaded.scenario))
        for where, message, suggestion in problems:
            reader.fail((*self.path, *where), message, suggestion)
        return None if problems else self._told_apart(claim, worlds)

    def _told_apart(self, claim: Claim, worlds: Worlds) -> Claim:
        """With the scenario in its name, where there are several."""
        return replace(claim, name=f"{claim.name} ({self.scenario})") if len(worlds.names) > 1 else claim


def _asked(written: WrittenPolicy, worlds: Worlds, reader: Reader) -> Iterator[_Asked]:
    """Each claim with each scenario that it is about."""
    for index, one in enumerate(written.claims):
        path: Path = ("claims", index)
        if one.scenario and one.scenario not in worlds.names:
            hint = nearest(one.scenario, worlds.names) or "named here: " + ", ".join(worlds.names)
            reader.fail((*path, "scenario"), f"no scenario is named {one.scenario!r}", hint)
            continue
        yield from (_Asked(path, one, name) for name in ([one.scenario] if one.scenario else worlds.names))
