"""From a path to a frozen ``Policy``; every error of the file, and of the scenarios it names, at once as ``BadInput``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path as File

from scenarios.document.fields import INVALID, Reader, nearest
from scenarios.document.source import Source, parse_text
from scenarios.findings import BadInput, Path
from scenarios.manifests.source import read_text
from scenarios.policy.checks import alone, fitting, repeated
from scenarios.policy.claims import Claim, Policy
from scenarios.policy.making import claim_of, happenings, rates_of
from scenarios.policy.schema import POLICY, SCHEMA, WrittenClaim, WrittenPolicy
from scenarios.policy.worlds import Worlds

_WANTED = f"a policy: expected one mapping that begins with schema: {SCHEMA}"


def load(file: File, overrides: Sequence[str] = (), crds: File | None = None) -> Policy:
    """The policy at ``file``; ``overrides`` (key=value) change every scenario. BadInput with every error."""
    text, unreadable = read_text(file)
    if unreadable is not None:
        raise BadInput([unreadable])
    return policy_of(parse_text(text, str(file), _WANTED), overrides, crds)


def policy_of(source: Source, overrides: Sequence[str] = (), crds: File | None = None) -> Policy:
    """The policy that a source holds; paths in it are relative to its file. BadInput with every error."""
    reader = Reader(source, [*source.findings])
    written = POLICY.read(source.data, (), reader)
    draft = POLICY.read(source.data, (), Reader(source, lenient=True)) if written is INVALID else written
    if draft is INVALID:
        raise BadInput(reader.findings)
    worlds = Worlds(source, draft, tuple(overrides), crds)
    claims = _all(draft, worlds, reader, whole=written is not INVALID)
    if reader.findings or worlds.findings:
        raise BadInput((*reader.findings, *worlds.findings))
    title = draft.title or File(source.file).stem
    rates = draft.error_rates
    return Policy(title, source.file, tuple(worlds.opened), claims, rates, rates.of, draft.seed)


def _all(written: WrittenPolicy, worlds: Worlds, reader: Reader, *, whole: bool) -> tuple[Claim, ...]:
    """Every claim about every scenario; of a policy with invalid parts only the scenarios are looked at."""
    scenarios = [(("scenarios", index), name) for index, name in enumerate(worlds.names)]
    problems = [*repeated(scenarios, "scenarios"), *(alone(written) if whole else ())]
    for path, message, suggestion in problems:
        reader.fail(path, message, suggestion)
    for name in dict.fromkeys(worlds.names):
        worlds.open(name)
    if problems or not whole:
        return ()
    posed = list(_posed(written, worlds, reader))
    claims = [_claim(written, path, name, worlds, reader, len(posed)) for path, name in posed]
    found = tuple(claim for claim in claims if claim is not None)
    for path, message, suggestion in repeated(
        [(path, claim.name) for (path, _), claim in zip(posed, claims, strict=True) if claim is not None], "claims"
    ):
        reader.fail(path, message, suggestion)
    return found


def _posed(written: WrittenPolicy, worlds: Worlds, reader: Reader) -> Iterator[tuple[Path, str]]:
    """Each claim with each scenario that it is about."""
    for index, one in enumerate(written.claims):
        path: Path = ("claims", index)
        if one.scenario and one.scenario not in worlds.names:
            hint = nearest(one.scenario, worlds.names) or "named here: " + ", ".join(worlds.names)
            reader.fail((*path, "scenario"), f"no scenario is named {one.scenario!r}", hint)
            continue
        yield from ((path, name) for name in ([one.scenario] if one.scenario else worlds.names))


def _claim(  # noqa: PLR0913 - what a claim is made of and where to say what is wrong with it
    written: WrittenPolicy, path: Path, name: str, worlds: Worlds, reader: Reader, claims: int
) -> Claim | None:
    """The claim; None, with what is wrong, if it cannot be asked."""
    one = _written(written, path)
    world = worlds.open(name, one, path)
    if world is None:
        return None
    about = name if len(worlds.names) > 1 else ""
    claim = claim_of(one, written, rates_of(written, claims), world, about, reader.source.position(path))
    problems = list(fitting(claim, worlds.opened[world].loaded.scenario))
    for where, message, suggestion in problems:
        reader.fail((*path, *where), message, suggestion)
    return None if problems else claim


def _written(written: WrittenPolicy, path: Path) -> WrittenClaim:
    index = path[1]
    assert isinstance(index, int)
    return written.claims[index]
