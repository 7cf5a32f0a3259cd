"""Where one run takes place: a namespace of a cluster, and what everybody there needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.cluster.cluster import Cluster
from harness.cluster.objects import Objects
from harness.recorder import Recorder
from scenarios.document import Loaded
from sim.streams import Streams


@dataclass(frozen=True, slots=True)
class Site:
    """One region of one run. ``loaded`` is the (time-compressed) scenario with its documents."""

    cluster: Cluster
    objects: Objects
    recorder: Recorder
    loaded: Loaded
    streams: Streams
    """The twin's own: people take the same times in both worlds."""
    folder: Path
    """For logs, records of requests and dumps."""
    region: str = ""
    share: float = 1.0
    """Of the offered traffic."""

    @property
    def namespace(self) -> str:
        """The run's own namespace."""
        return self.objects.namespace
