"""Everything that can be said of two versions of a policy before anything is replayed."""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.changes.objects import Change, changes
from scenarios.changes.sides import Side
from scenarios.changes.verdicts import FindingChange, finding_changes
from scenarios.changes.world import WorldChange, one_world, policy_changes, same_policy, world_changes
from sim.model.scenario import Scenario


@dataclass(frozen=True)
class Comparison:
    """Both versions and what differs; ``old`` and ``new`` are replayed."""

    labels: tuple[str, str]
    old: Scenario
    new: Scenario
    changes: tuple[Change, ...]
    """Of the manifests."""
    settings: tuple[WorldChange, ...]
    """Of the scenario's strategy, delivery and targets."""
    findings: tuple[FindingChange, ...]
    world: tuple[WorldChange, ...]
    """In what the worlds differ that the two sides came with."""
    world_of: str
    """Whose world both are replayed in: ``old``, ``new``, or '' for each its own."""
    same: bool
    """Whether the model cannot tell the two apart."""


def compare(old: Side, new: Side, world_of: str = "") -> Comparison:
    """Compare two versions; ``world_of`` (``old`` or ``new``) puts both into the world of one of them."""
    before, after = old.scenario, new.scenario
    if world_of:
        before, after = one_world(before, after, world_of)
    return Comparison(
        (old.label, new.label),
        before,
        after,
        changes(old.loaded.documents, new.loaded.documents),
        policy_changes(before, after),
        finding_changes(old.findings, new.findings),
        world_changes(old.scenario, new.scenario),
        world_of,
        same_policy(before, after),
    )
