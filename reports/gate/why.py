"""Why a replication breaks a claim, from its journal: how it ended, and what each gate measured against what it asks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from os.path import normpath
from typing import NamedTuple

from reports.gate.card import Condition
from reports.gate.judging import judged, observed_of
from reports.gate.words import value_text
from reports.numbers import clock
from reports.views import of_kind
from scenarios.document.source import Place
from scenarios.findings import Path
from scenarios.manifests import Document, Documents
from scenarios.policy.claims import Aborted, Claim, FalselyAborted, Indicator, Promoted
from sim.model.records import MeasurementRecord, RunResult, Verdict

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_TEMPLATES = frozenset({"AnalysisTemplate", "ClusterAnalysisTemplate"})
_MOST = 4
"""Gates told of one replication."""
_FINE = "Successful"
_STOPPED = {
    Verdict.PROMOTED: "promoted",
    Verdict.ABORTED: "aborted",
    Verdict.REJECTED: "rejected before it started",
    Verdict.DEGRADED: "ended degraded",
    Verdict.STUCK: "still neither finished nor stopped",
    Verdict.UNDONE: "served everybody and was taken back",
}


def happened(claim: Claim, result: RunResult) -> str:
    """How the replication went, as far as the claim is concerned: ``promoted at +14m20s``."""
    seen = observed_of(result)
    value = judged(claim, seen).value
    late = ""
    match claim.happening:
        case Aborted(within_s=within) if within is not None and value is not None and value > within:
            late = f", {clock(value - within).removeprefix('+')} too late"
        case Promoted(within_s=within) if within is not None and value is not None and value > within:
            late = f" after serving everybody at {clock(value)}, {clock(value - within).removeprefix('+')} too late"
        case Indicator(kpi=kpi):
            bounded = "at least " if kpi in seen.outcome.lower_bounds else ""
            shown = "does not apply" if value is None else f"was {bounded}{value_text(claim.happening, value)}"
            late = f"; {kpi.value} {shown}"
        case _:
            pass
    at_s = seen.aborted_s if result.verdict is Verdict.ABORTED and seen.aborted_s is not None else result.ended_s
    at = f" at {clock(at_s)}" if at_s and result.verdict is not Verdict.REJECTED else ""
    return f"{_STOPPED[result.verdict]}{at}{late}{_reason(claim, result)}"


def _reason(claim: Claim, result: RunResult) -> str:
    """The run's own reason, where it is not simply that all went well."""
    if result.verdict is Verdict.PROMOTED or not result.reason:
        return ""
    wanted = isinstance(claim.happening, Aborted) and result.verdict is Verdict.ABORTED
    return "" if wanted and not isinstance(claim.happening, FalselyAborted) else f" ({result.reason})"


def conditions(result: RunResult, documents: Documents) -> tuple[Condition, ...]:
    """Each gate that measured: those that failed first, then those that came nearest to it by failing most."""
    metrics: dict[str, list[MeasurementRecord]] = {}
    for row in of_kind(result.journal, MeasurementRecord):
        metrics.setdefault(row.metric, []).append(row)
    found = [_condition(name, rows, documents) for name, rows in metrics.items()]
    order = sorted(found, key=lambda item: -item.failed)
    return tuple(item.condition for item in order[:_MOST])


class _Found(NamedTuple):
    condition: Condition
    failed: int


def _condition(name: str, rows: Sequence[MeasurementRecord], documents: Documents) -> _Found:
    written, place = next(_written(name, documents), ("", Place("", 0, 0)))
    counts = Counter(row.phase for row in rows)
    return _Found(Condition(name, written, place, _said(rows, counts)), len(rows) - counts[_FINE])


def _said(rows: Sequence[MeasurementRecord], counts: Counter[str]) -> str:
    """``measured 0.953 .. 0.993 in 12 measurements: 10 Successful, 2 Failed, the first Failed at +2m26s``."""
    phases = ", ".join(f"{number} {phase}" for phase, number in counts.most_common())
    failed = next((row for row in rows if row.phase != _FINE), None)
    first = "" if failed is None else f", the first {failed.phase} at {clock(failed.t_s)}"
    times = f"{len(rows)} measurement{'' if len(rows) == 1 else 's'}"
    return f"measured {_span(rows)} in {times}: {phases}{first}"


def _span(rows: Sequence[MeasurementRecord]) -> str:
    """Least and largest value."""
    values = [number for row in rows if (number := _single(row.value)) is not None]
    if not values:
        return next((row.message for row in rows if row.message), "nothing numeric")
    low, high = f"{min(values):.4g}", f"{max(values):.4g}"
    return low if low == high else f"{low} .. {high}"


def _single(value: str) -> float | None:
    """The number that a measurement shows, if it shows one."""
    numbers = _NUMBER.findall(value)
    return float(numbers[0]) if len(numbers) == 1 else None


def _written(metric: str, documents: Documents) -> Iterator[tuple[str, Place]]:
    """Conditions and place of the metrics of this name."""
    for document in documents.objects:
        for index, item in enumerate(_metrics(document)):
            if isinstance(item, dict) and item.get("name") == metric:
                keys = [key for key in ("successCondition", "failureCondition") if isinstance(item.get(key), str)]
                path: Path = ("spec", "metrics", index, *keys[:1])
                line, column = document.position(path)
                text = "; ".join(f"{key}: {' '.join(item[key].split())}" for key in keys)
                yield text, Place(normpath(document.file), line, column)


def _metrics(document: Document) -> list[object]:
    spec = document.data.get("spec") if document.kind in _TEMPLATES else None
    found = spec.get("metrics") if isinstance(spec, dict) else None
    return found if isinstance(found, list) else []
