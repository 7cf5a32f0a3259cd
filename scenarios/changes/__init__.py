"""Two versions of a policy: what was read of each, what was changed between them, and whether their worlds are the same.

``sides`` reads both (``revision`` from Git), ``objects`` compares the manifests as written (``values`` says what is
equal, ``words`` names places), ``world`` compares the scenarios around them, ``verdicts`` what ``check`` finds.
"""

from scenarios.changes.objects import Change, changes
from scenarios.changes.sides import Side, read_sides
from scenarios.changes.verdicts import FindingChange, finding_changes
from scenarios.changes.world import WORLDS, WorldChange, one_world, policy_changes, same_policy, world_changes

__all__ = [
    "WORLDS",
    "Change",
    "FindingChange",
    "Side",
    "WorldChange",
    "changes",
    "finding_changes",
    "one_world",
    "policy_changes",
    "read_sides",
    "same_policy",
    "world_changes",
]
