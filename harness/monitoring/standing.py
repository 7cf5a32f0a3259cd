"""A run's Prometheus, wherever it is to be: in the namespace, a process of this machine, or a container beside the cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.choices import Scrapes
from harness.cluster.connection import ApiError, LostError
from harness.cluster.objects import Objects
from harness.images import Images
from harness.missing import MissingError
from harness.monitoring import addresses, labels
from harness.monitoring.beside import Beside, Pods, Server
from harness.monitoring.configuration import Discovery
from harness.monitoring.in_cluster import InCluster
from harness.monitoring.manifests import SCRAPE_PORT, Installation
from harness.monitoring.servers import Container, Process
from harness.site import Site


class Standing(Protocol):
    """One that answers."""

    address: str
    """Where this machine asks."""
    cluster_ip: str
    """Where pods ask; '' where they cannot."""

    @property
    def what(self) -> str:
        """Its image, or whose program it is, for people to read."""
        ...

    def stop(self) -> None:
        """From now on it scrapes nothing and refuses queries; it forgets nothing."""
        ...

    def start(self) -> None:
        """It goes on where it was stopped."""
        ...

    def close(self) -> None:
        """Ends what does not end with the namespace."""
        ...


def stood(site: Site, images: Images, where: Scrapes, sent: Callable[[str], str]) -> Standing:
    """A Prometheus that scrapes the run's pods; MissingError or WaitError if it does not come to that.

    ``sent`` makes the image of a name known to the cluster's nodes and returns its reference.
    """
    telemetry = labels.telemetry_of(site.loaded)
    discovery = Discovery.for_interval(telemetry.scrape_interval_s)
    if where is Scrapes.CLUSTER:
        ports = addresses.ports(addresses.written(site.loaded.scenario))
        wanted = Installation(telemetry, discovery, sent("prometheus"), sent("python"), ports=ports)
        inside = InCluster(site.cluster, site.objects, wanted)
        inside.stand()
        return inside
    server: Server = Process(site.folder) if where is Scrapes.HOST else Container(images.reference("prometheus"))
    beside = Beside(telemetry, discovery, server, pods_of(site.objects))
    beside.stand(site.folder)
    return beside


def pods_of(objects: Objects) -> Pods:
    """The pods of a namespace, reached through the API server."""
    watched = objects.watch("Pod")

    def ask(name: str) -> str | None:
        try:
            return objects.proxied("GET", name, SCRAPE_PORT, "metrics").decode()
        except (ApiError, LostError):
            return None

    return Pods(lambda: tuple(watched.current().values()), ask)


def need_reachable(where: Scrapes) -> None:
    """MissingError if pods do not reach such a Prometheus: a controller in the cluster asks from there."""
    if where is not Scrapes.CLUSTER:
        what, why = "a Prometheus that the controller reaches", "Argo Rollouts asks from inside of the cluster"
        raise MissingError(what, why, "Use --prometheus cluster, or --controller twin.")
