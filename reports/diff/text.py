"""A diff for a terminal: what to know first, then policy, decisions and indicators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.diff import words
from reports.diff.card import Diff, Transition
from reports.diff.words import ARROW
from reports.text import columns, wrapped
from scenarios.changes import Change

_MOST = 40
"""Lines of one list: a reader of more opens the report."""
_INDENT = "    "


def diff_text(diff: Diff) -> str:
    """The whole diff."""
    old, new = diff.policies.labels
    blocks = (
        [f"{old} {ARROW} {new}", wrapped(words.about_text(diff) + ".", "")],
        [wrapped(sentence, "- ") for sentence in words.headlines(diff)],
        list(_world(diff)),
        list(_policy(diff)),
        list(_check(diff)),
        list(_decisions(diff)),
        list(_indicators(diff)),
        [wrapped(words.method_text(diff), "")],
    )
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _world(diff: Diff) -> Iterator[str]:
    if diff.policies.world:
        yield from _titled(f"World ({len(diff.policies.world)} fields differ)")
        lines = [
            f"{item.path}: {words.shorten(item.old)} {ARROW} {words.shorten(item.new)}" for item in diff.policies.world
        ]
        yield from _some([wrapped(line, "  ") for line in lines])


def _policy(diff: Diff) -> Iterator[str]:
    policies = diff.policies
    count = len(policies.changes) + len(policies.settings)
    yield from _titled(f"Policy: {count or 'no'} change{'s' if count != 1 else ''}")
    if policies.settings:
        yield "  scenario"
        for item in policies.settings:
            yield wrapped(f"{item.path}: {words.shorten(item.old)} {ARROW} {words.shorten(item.new)}", _INDENT)
    yield from _some(list(_changes([change for change in policies.changes if change.modelled])))
    ignored = [change for change in policies.changes if not change.modelled]
    if ignored:
        yield "  not read by the model:"
        yield from _some(
            [wrapped(f"{item.subject} {item.where}: {words.change_text(item)}", _INDENT) for item in ignored]
        )


def _changes(found: Sequence[Change]) -> Iterator[str]:
    previous = ""
    for change in found:
        if change.subject != previous:
            yield f"  {change.subject}"
        previous = change.subject
        text = ": ".join(part for part in (change.where, words.change_text(change)) if part)
        yield wrapped(f"{text}  [{words.place_text(change)}]", _INDENT)


def _check(diff: Diff) -> Iterator[str]:
    found = diff.policies.findings
    yield from _titled(f"Check: {words.findings_text(diff.policies)}")
    signs = {True: "+", False: "-"}
    yield from _some([wrapped(str(item.finding), f"  {signs[item.new]} ") for item in found])


def _decisions(diff: Diff) -> Iterator[str]:
    yield from _titled("Decisions")
    for release, good, of in words.kinds(diff):
        same = words.unchanged_text(diff, release)
        fate = f"{same} as before" if same else "all changed"
        yield wrapped(f"{words.kind_text(release, good=good)}, {of} pairs: {fate}", "  ")
        for item in diff.changed:
            if item.release == release:
                yield from _transition(diff, item)
        places = [place for place in diff.relocations if place.release == release]
        yield from _some([wrapped(f"{words.relocation_text(item)}  [seed {item.seed}]", _INDENT) for item in places])
        yield from (wrapped(words.timing_text(item), _INDENT) for item in diff.timings if item.release == release)


def _transition(diff: Diff, item: Transition) -> Iterator[str]:
    yield wrapped(words.change_of_verdict(item), _INDENT)
    yield wrapped(item.old_reason or "-", f"{_INDENT}  old: ")
    yield wrapped(item.new_reason or "-", f"{_INDENT}  new: ")
    yield f"{_INDENT}  replay: {words.replay_text(diff, item)}"


def _indicators(diff: Diff) -> Iterator[str]:
    yield from _titled("Indicators")
    heads = ("", "old", "new", "difference", "")
    rows = [(f"  {name}", *rest) for name, *rest in map(words.effect_cells, diff.effects)]
    yield from columns([heads, *rows])
    for item in diff.targets:
        yield wrapped(words.target_text(item), "  target: ")


def _titled(title: str) -> Iterator[str]:
    yield title
    yield "=" * len(title)


def _some(lines: Sequence[str]) -> Iterator[str]:
    """The lines, or the first of them and how many there are besides."""
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"  ... and {len(lines) - _MOST} more lines; the report and diff.json have all of them"
