"""What a user chooses about the cluster's side of a comparison, and what a reader of its runs must be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Decides(StrEnum):
    """Who decides about a Rollout on the cluster."""

    ARGO = "argo"
    """The real Argo Rollouts controller."""
    TWIN = "twin"
    """``sim.decide``, driving the cluster's objects."""


class Scrapes(StrEnum):
    """Where the Prometheus of a run is."""

    CLUSTER = "cluster"
    """In the run's namespace, from an image."""
    HOST = "host"
    """A process of this machine, from Debian's package or any other ``prometheus`` on PATH."""
    CONTAINER = "container"
    """A container beside the cluster, started by testcontainers."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Where runs take place and who decides there."""

    folder: Path
    """For logs, records of requests and dumps of each run."""
    decides: Decides = Decides.ARGO
    context: str = ""
    """A context of the user's kubeconfig; '' for a cluster made by kind."""
    kind_cluster: str = ""
    """Name of the kind cluster to use or to make; '' for one of the run's own, with a name of its own."""
    keep_cluster: bool = False
    """Whether a kind cluster that was made is left standing."""
    network_delay: bool = False
    """Whether faults that only add time act on the network, by ``tc`` on kind's nodes, instead of in the application."""
    images: Path | None = None
    """Which images to use instead of ``harness/images.yaml``."""
    scrapes: Scrapes = Scrapes.CLUSTER
    """Elsewhere than in the cluster it serves those who ask from this machine, so not Argo Rollouts."""
    database: str = ""
    """DSN of a PostgreSQL that every request of the application looks into (``harness.database``); '' is none."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What runs were made with and on, as (what, which) for people to read."""

    controller: str = ""
    """Who decides, with its version."""
    versions: tuple[tuple[str, str], ...] = ()
    machine: tuple[tuple[str, str], ...] = ()
    adaptations: tuple[str, ...] = ()
    """What had to be changed in the last run's manifests and why, a sentence each."""
