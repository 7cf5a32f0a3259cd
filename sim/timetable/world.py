"""The objects of a walk: ReplicaSets whose pods are available a fixed time after they are wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.model.rollout import ReplicaSetView


@dataclass(slots=True)
class Batch:
    """Pods wanted at one instant; ``available_s`` None is never."""

    count: int
    available_s: float | None


@dataclass(slots=True)
class WalkedSet:
    """One ReplicaSet."""

    name: str
    hash: str
    created_s: float = 0.0
    revision: int = 0
    desired: int = 0
    annotation: int | None = None
    deadline_s: float | None = None
    batches: list[Batch] = field(default_factory=list)

    def scale(self, replicas: int, available_s: float | None) -> int:
        """How many pods were deleted: the ones made last first, which are those not yet available."""
        surplus = self.desired - replicas
        self.desired = replicas
        if surplus < 0:
            self.batches.append(Batch(-surplus, available_s))
            return 0
        left = surplus
        while left and self.batches:
            taken = min(left, self.batches[-1].count)
            self.batches[-1].count -= taken
            left -= taken
            if not self.batches[-1].count:
                self.batches.pop()
        return surplus

    def stand(self) -> None:
        """All pods have been there for long."""
        self.batches = [Batch(self.desired, 0.0)] if self.desired else []

    def available(self, now_s: float) -> int:
        """Available pods; batches that are there become one, so that thousands of them cost no more than a few."""
        there = [one for one in self.batches if one.available_s is not None and one.available_s <= now_s]
        if len(there) > 1:
            coming = [one for one in self.batches if one.available_s is None or one.available_s > now_s]
            self.batches = [Batch(sum(one.count for one in there), there[-1].available_s), *coming]
        return sum(one.count for one in there)

    def next_s(self, now_s: float) -> float | None:
        """When the next pods become available."""
        coming = (one.available_s for one in self.batches if one.available_s is not None and one.available_s > now_s)
        return min(coming, default=None)

    def view(self, now_s: float, leaving: int = 0) -> ReplicaSetView:
        """As controllers see it; ``leaving`` pods still count as existing, for those that wait for them to be gone."""
        available = self.available(now_s)
        return ReplicaSetView(
            self.name,
            self.hash,
            self.desired,
            replicas=self.desired + leaving,
            ready=available,
            available=available,
            created_s=self.created_s,
            revision=self.revision,
            scale_down_deadline_s=self.deadline_s,
            desired_annotation=self.annotation,
            fully_labelled=self.desired,
        )


@dataclass(slots=True)
class Leaving:
    """Pods that were deleted and may still be terminating: (gone at, count)."""

    grace_s: float
    pods: list[tuple[float, int]] = field(default_factory=list)

    def add(self, now_s: float, count: int) -> None:
        """More of them."""
        if count and self.grace_s:
            self.pods.append((now_s + self.grace_s, count))

    def count(self, now_s: float) -> int:
        """How many there still are."""
        self.pods = [(gone_s, count) for gone_s, count in self.pods if gone_s > now_s]
        return sum(count for _, count in self.pods)
