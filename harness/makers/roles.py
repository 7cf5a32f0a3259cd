"""Labels and annotations that pods carry while their revision is stable or new (``rollout/ephemeralmetadata.go``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.cluster.objects import Object, Objects
from harness.makers import observe
from harness.makers.picture import Picture
from sim.decide.standing import role_metadata
from sim.model.rollout import EphemeralMetadata, RolloutSpec

REPLICA_SET: Final = "apps/v1/ReplicaSet"
_NONE: Final = EphemeralMetadata()


class Roles:
    """What each revision's pods carry by now."""

    def __init__(self, objects: Objects, sets: Picture) -> None:
        self._objects = objects
        self._sets = sets
        self._put: dict[str, EphemeralMetadata] = {}
        """By hash."""

    def put(self, sets: Mapping[str, Object], spec: RolloutSpec, stable_hash: str, new_hash: str) -> None:
        """Gives each revision the metadata of its role; a revision without a role loses what it had."""
        stable, new = role_metadata(spec)
        for pod_hash, obj in sets.items():
            wanted = stable if pod_hash == stable_hash else new if pod_hash == new_hash else None
            self._change(pod_hash, obj, wanted or _NONE)

    def _change(self, pod_hash: str, obj: Object, wanted: EphemeralMetadata) -> None:
        had = self._put.get(pod_hash, _NONE)
        if wanted == had:
            return
        self._put[pod_hash] = wanted
        metadata = {
            "labels": dict.fromkeys(dict(had.labels)) | dict(wanted.labels),
            "annotations": dict.fromkeys(dict(had.annotations)) | dict(wanted.annotations),
        }
        # The template first: pods made from now on have it from the start.
        change = {"spec": {"template": {"metadata": metadata}}}
        self._sets.wrote(self._objects.patch(REPLICA_SET, obj["metadata"]["name"], change))
        for name, pod in self._objects.watch("Pod").current().items():
            if observe.hash_of(pod) == pod_hash and "deletionTimestamp" not in pod["metadata"]:
                self._objects.patch("Pod", name, {"metadata": metadata})
