"""Names to places: which value of which object each parameter means, with every name that means none reported at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scenarios.document.load import Loaded
from scenarios.findings import BadInput, Finding, Path, Severity, path_text
from scenarios.manifests import Document
from scenarios.rules.tree import leaves
from scenarios.settings.inside import holds_literals
from scenarios.settings.naming import starts, subject, used_templates
from scenarios.settings.parameter import CODE, Parameter, Unit, unit_of
from scenarios.settings.target import Act, NoTargetError, Target, target

_OF_SPEC: Final = (("spec", "replicas"), ("spec", "minReadySeconds"))


@dataclass(frozen=True, slots=True)
class Bound:
    """A parameter and the place that it means."""

    parameter: Parameter
    target: Target


def bind(loaded: Loaded, parameters: Iterable[Parameter]) -> tuple[Bound, ...]:
    """Every parameter with its place; BadInput with all that mean nothing, several things or the same place."""
    results = [_bind(loaded, parameter) for parameter in parameters]
    bound = [item for item in results if isinstance(item, Bound)]
    findings = [item for item in results if isinstance(item, Finding)]
    findings.extend(_same(bound))
    findings.extend(_refused_keys(loaded, bound))
    if findings:
        raise BadInput(findings)
    return tuple(bound)


def _bind(loaded: Loaded, parameter: Parameter) -> Bound | Finding:
    found: dict[object, Target] = {}
    failures: list[NoTargetError] = []
    literal = None
    for start in starts(loaded, parameter.name):
        try:
            one = target(parameter, start)
        except NoTargetError as error:
            failures.append(error)
            continue
        if one.act is not Act.INSERT and literal is None:
            literal = (start.document, one)
        found.setdefault(one.key, one)
    if literal is not None and literal[1].act is not Act.OVERRIDE:
        found = {key: one for key, one in found.items() if one.act not in {Act.INSERT, Act.OVERRIDE}}
    if len(found) == 1:
        return Bound(parameter, next(iter(found.values())))
    return _several(parameter, found.values()) if found else _nothing(loaded, parameter, failures)


def _several(parameter: Parameter, found: Iterable[Target]) -> Finding:
    names = [canonical(one.document, one.path) for one in found if one.document is not None]
    hint = "write one of " + ", ".join(names)
    return _finding(parameter, f"{parameter.name} means several values", hint)


def _nothing(loaded: Loaded, parameter: Parameter, failures: Sequence[NoTargetError]) -> Finding:
    names = known_names(loaded)
    if not failures:
        return _finding(parameter, f"{parameter.name}: there is nothing of that name", _near(parameter.name, names))
    best = max(failures, key=lambda failure: failure.depth)
    if not best.depth:
        return _finding(parameter, f"{parameter.name}: there is nothing of that name", _near(parameter.name, names))
    hint = f"write {parameter.name}[0]" if best.indexed else _near(parameter.name, names)
    return _finding(parameter, f"{parameter.name}: {best}", hint)


def _near(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"known here: {', '.join(names[:12])}"


def _same(bound: Sequence[Bound]) -> Iterator[Finding]:
    first: dict[object, Bound] = {}
    for item in bound:
        other = first.setdefault(item.target.key, item)
        if other is not item:
            message = f"{item.parameter.name} and {other.parameter.name} are the same value ({item.target.place})"
            yield _finding(item.parameter, message)


def _refused_keys(loaded: Loaded, bound: Sequence[Bound]) -> Iterator[Finding]:
    """What the scenario's own reader says to the keys of the scenario, tried once in the middle."""
    keys = [item for item in bound if item.target.act is Act.OVERRIDE]
    if keys:
        try:
            loaded.origin.again([f"{item.parameter.name}={item.parameter.values.at(0.5)}" for item in keys])
        except BadInput as error:
            yield from error.findings


def _finding(parameter: Parameter, message: str, hint: str = "") -> Finding:
    return Finding(CODE, Severity.ERROR, message, parameter.label, 1, 1, (), hint)


def known_names(loaded: Loaded) -> tuple[str, ...]:
    """Names of the values that a search would usually vary, as ``bind`` takes them."""
    document = subject(loaded)
    owners = ([] if document is None else [document]) + list(used_templates(loaded))
    found = [canonical(owner, path) for owner in owners for path, value in leaves(owner.data) if _tunable(path, value)]
    return tuple(dict.fromkeys(found))


def _tunable(path: Path, value: Any) -> bool:
    """Whether it is a number, a duration or a percentage, or holds some, of a strategy or a metric."""
    if path[:2] not in {("spec", "strategy"), ("spec", "metrics")} and path not in _OF_SPEC:
        return False
    return path[-1] != "name" and (holds_literals(path) or unit_of([str(value)]) is not Unit.WORD)


def canonical(document: Document | None, path: Path) -> str:
    """The shortest name that ``bind`` takes: ``canary.steps[1].pause``, ``template.metrics[metric].count``."""
    if document is None:
        return path_text(path)
    if document.kind in {"Rollout", "Deployment"}:
        short = path[2:] if path[:2] == ("spec", "strategy") else path[1:]
        return path_text(short[:-1] if path[-2:] == ("pause", "duration") else short)
    return f"{document.name}.{_with_names(document, path)}"


def _with_names(document: Document, path: Path) -> str:
    """The path from the spec, metrics called by their names."""
    if path[:2] != ("spec", "metrics") or len(path) < 4:
        return path_text(path[1:])
    metric = document.data["spec"]["metrics"][path[2]]
    name = metric.get("name") if isinstance(metric, dict) else None
    rest = path[-1:] if path[-1] == "query" else path[3:]
    return f"metrics[{name if isinstance(name, str) else path[2]}].{path_text(rest)}"
