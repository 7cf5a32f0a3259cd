"""Read files of vectors, run each vector on the function of ours that decides the same thing, compare."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.model.controller import NEWEST, Controller
from tests.conformance.matching import mismatches
from tests.conformance.ops import OPS

_COMPARED = {
    Controller.ARGO_1_8: "v1.8.4",
    Controller.ARGO_1_9: "v1.9.1",
    Controller.ARGO_1_10_RC1: "v1.10.0-rc1",
}
"""The releases that the vectors' inputs were also run on."""


_STAND_IN = "main.cwRes", "types.MetricDataResult"
"""The vectors were made with a type of this name in place of Amazon's."""


class UnreadableError(Exception):
    """A file that is not a file of vectors; the text says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one vector; ``problems`` empty: passed."""

    vector: Mapping[str, Any]
    got: Any
    problems: tuple[str, ...]


def vectors_of(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """Name and vectors of a file; UnreadableError if it cannot be read or is something else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path}: {error}"
        raise UnreadableError(msg) from error
    vectors = document.get("vectors") if isinstance(document, dict) else None
    if not isinstance(vectors, list) or not all(isinstance(v, dict) and "op" in v for v in vectors):
        msg = f"{path}: no list of vectors in it"
        raise UnreadableError(msg)
    return path.stem, vectors


def vector_for(vector: Mapping[str, Any], controller: Controller) -> Mapping[str, Any] | None:
    """The vector as asked of a release, with what that release answers; None if that is not known.

    ``releaseDifferences`` has the answers that differ, by patch release (``v1.8.4``) and field.
    """
    if controller is NEWEST:
        return vector
    if controller not in _COMPARED or not vector.get("verifiedByExecution", True):
        return None
    differences = vector.get("releaseDifferences", {}).get(_COMPARED[controller], {})
    if isinstance(differences, str):
        return None
    differences = json.loads(json.dumps(differences).replace(*_STAND_IN))
    expected = {
        key: value for key, value in vector["expected"].items() if not (differences and key.startswith("error"))
    }
    expected |= differences
    return {**vector, "input": {**vector.get("input", {}), "controller": controller}, "expected": expected}


def outcome(vector: Mapping[str, Any]) -> Outcome:
    """The outcome of one vector. An operation we do not have, and any exception inside one, is a failure."""
    operation = OPS.get(vector["op"])
    if operation is None:
        return Outcome(vector, None, (f"no operation {vector['op']!r}",))
    try:
        got = operation(vector.get("input", {}))
    except Exception as error:  # noqa: BLE001 - a crash in one vector must not hide the others
        return Outcome(vector, None, (f"{type(error).__name__}: {error}",))
    return Outcome(vector, got, tuple(mismatches(vector.get("expected"), got)))


def report(name: str, outcomes: Sequence[Outcome], *, verbose: bool) -> list[str]:
    """The lines printed for one file: the failures where asked for, then the count."""
    lines: list[str] = []
    for failed in (o for o in outcomes if o.problems):
        if verbose:
            lines += _details(failed)
    passed = sum(not o.problems for o in outcomes)
    return [*lines, f"{name}: {passed} passed, {len(outcomes) - passed} failed"]


def _details(failed: Outcome) -> list[str]:
    vector = failed.vector
    return [
        f"FAILED {vector.get('id')} ({vector['op']}): {vector.get('checks', '')}",
        *(f"  {problem}" for problem in failed.problems),
        f"  expected {json.dumps(vector.get('expected'))}",
        f"  got      {json.dumps(failed.got, default=str)}",
    ]
