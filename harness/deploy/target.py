"""Where a scenario is deployed to, and what had to be changed for it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """One namespace of one cluster."""

    namespace: str
    image: str
    """Of the application under test."""
    cpu: float = 0.8
    """Cores that its pods may ask for in all: a node of two has about one left beside Kubernetes' own."""
    memory: float = 1.5 * 2.0**30
    """Bytes that they may."""
    pods: int | None = None
    """The released workload's replicas, where they are to be fewer; other workloads shrink in proportion."""
    database: str = ""
    """DSN of a PostgreSQL that every request looks into; '' is none."""


@dataclass
class Notes:
    """Sentences about objects; objects of which the same is to be said share one."""

    said: dict[str, list[str]] = field(default_factory=dict)

    def add(self, owner: str, sentence: str) -> None:
        """Notes a sentence about an object (``Deployment/shop``); '' as the owner is about everything."""
        owners = self.said.setdefault(sentence, [])
        if owner not in owners:
            owners.append(owner)

    @property
    def sentences(self) -> tuple[str, ...]:
        """One for each thing said, in the order in which it came up."""
        return tuple(_sentence([one for one in owners if one], said) for said, owners in self.said.items())


def _sentence(owners: list[str], said: str) -> str:
    return f"{', '.join(owners)}: {said}." if owners else f"{said[:1].upper()}{said[1:]}."
