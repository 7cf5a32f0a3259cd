"""The comparison for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from reports.text import columns, wrapped
from reports.verify import words
from reports.verify.card import PairingComparison, RunComparison, Verification


def verification_text(found: Verification) -> str:
    """What to know first, one line a run, then each run by itself."""
    first = [wrapped(words.about_text(found) + ".", ""), *(wrapped(line, "- ") for line in words.headlines(found))]
    blocks = [
        first,
        _table(found),
        *(list(_pairing(pairing)) for pairing in found.pairings),
        list(_coverage(found)),
        [wrapped(words.thresholds_text(found), ""), wrapped(words.method_text(), "")],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _table(found: Verification) -> list[str]:
    heads = ("", "run", "cluster", "twin", "time", "")
    rows = [
        (
            words.name_text(pairing.pairing),
            run.run.label,
            words.run_text(run),
            words.decision_text(pairing.decision, pairing.place),
            "-" if run.time is None else f"{run.time.cluster_s:.1f} s, twin {run.time.twin_s:.1f} s",
            run.answer.value,
        )
        for pairing, run in found.runs
    ]
    return columns([heads, *rows])


def _pairing(found: PairingComparison) -> Iterator[str]:
    pairing = found.pairing
    title = f"{words.name_text(pairing)}: {pairing.title}"
    yield title
    yield "=" * len(title)
    if pairing.near:
        yield f"  {words.near_text(pairing)}"
    yield from (wrapped(text, "  ") for text in pairing.statements)
    yield wrapped(words.twin_text(found), "  twin     ")
    for run in found.runs:
        yield from _run(run)


def _run(run: RunComparison) -> Iterator[str]:
    facts = run.run.facts
    yield wrapped(f"{words.run_text(run)} ({run.run.label}): {facts.reason or '-'}", "  cluster  ")
    rows = words.figures(run)
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        yield wrapped(text, f"    {name:<{width}}  ")
    for check in run.checks:
        yield wrapped(check.why, f"    {check.answer.value}: {check.name}: ")


def _coverage(found: Verification) -> Iterator[str]:
    yield "The cluster's value lies within the twin's 90 % interval"
    rows = [(f"  {item.measure.value}", words.coverage_text(item)) for item in found.coverage]
    yield from columns(rows)
