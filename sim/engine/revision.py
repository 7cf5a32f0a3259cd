"""A revision: one pod template running one version of the application."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sim.model.behaviour import VersionBehaviour
from sim.model.hashing import digest
from sim.model.pods import AntiAffinity, PodTemplate

STABLE: Final = "stable"
CANDIDATE: Final = "candidate"
GROUPS: Final = (STABLE, CANDIDATE)
"""Sides in the order of the data plane's groups."""


@dataclass(frozen=True, slots=True)
class Revision:
    """What a ReplicaSet makes pods of; ``side`` is the side of its behaviour, whatever role it has just now."""

    hash: str
    template: PodTemplate
    behaviour: VersionBehaviour
    side: str

    @property
    def group(self) -> int:
        """The data plane's group for this side."""
        return GROUPS.index(self.side)


@dataclass(frozen=True, slots=True)
class Avoidance:
    """Injected anti-affinity: keep away from nodes with pods of revision ``hash``."""

    rule: AntiAffinity = AntiAffinity.NONE
    hash: str = ""


def stable_revision(template: PodTemplate, behaviour: VersionBehaviour) -> Revision:
    """The revision that runs before the release."""
    return Revision(_hash(template, behaviour), template, behaviour, STABLE)


def candidate_revision(template: PodTemplate, behaviour: VersionBehaviour) -> Revision:
    """The revision being released: the same template with an image of its own (so that nodes must pull it)."""
    changed = replace(template, image=f"{template.image}@{behaviour.name}")
    return Revision(_hash(changed, behaviour), changed, behaviour, CANDIDATE)


def _hash(template: PodTemplate, behaviour: VersionBehaviour) -> str:
    return digest((template, behaviour.name))[:10]
