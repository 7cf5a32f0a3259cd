"""Two versions of a policy: what was read of each, what was changed between them, and whether their worlds are the same.

``sides`` reads both (``revision`` from Git), ``objects`` compares the manifests as written (``values`` says what is
equal, ``words`` names places), ``world`` the scenarios around them, ``verdicts`` what ``check`` finds; ``comparison``
puts it together.
"""

from scenarios.changes.comparison import Comparison, compare
from scenarios.changes.objects import Change
from scenarios.changes.sides import Side, read_sides
from scenarios.changes.verdicts import FindingChange
from scenarios.changes.world import WORLDS, WorldChange

__all__ = ["WORLDS", "Change", "Comparison", "FindingChange", "Side", "WorldChange", "compare", "read_sides"]
