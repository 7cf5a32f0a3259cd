"""A Prometheus in the run's namespace: stood up, watched until it sees the pods, stopped and continued."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack

from harness.cluster.cluster import Cluster
from harness.cluster.objects import Object, Objects
from harness.monitoring.inside.companion import is_wanted
from harness.monitoring.manifests import COMPANION, DOOR, NAME, Installation, objects_of
from harness.monitoring.prometheus import Answer
from harness.waiting import wait_until

STANDS_WITHIN_S = 120.0
SEES_WITHIN_S = 60.0


class InCluster:
    """One Prometheus, reached through its Service; ``close`` ends what leads there from this machine."""

    def __init__(self, cluster: Cluster, objects: Objects, wanted: Installation) -> None:
        self._cluster, self._objects, self._wanted = cluster, objects, wanted
        self._open = ExitStack()
        self.address = ""
        """Where this machine asks."""
        self.cluster_ip = ""
        """Where pods ask, at every port of the installation."""

    @property
    def what(self) -> str:
        """Its image."""
        return self._wanted.image

    def stand(self) -> None:
        """Applies everything, and returns when Prometheus runs; WaitError with its state otherwise."""
        for obj in objects_of(self._objects.namespace, self._wanted):
            self._objects.apply(obj)
        wait_until(self._runs, "Prometheus runs", STANDS_WITHIN_S, self._state)
        service = self._objects.get("Service", NAME) or {}
        self.cluster_ip = str(service["spec"]["clusterIP"])
        there = self._open.enter_context(self._cluster.reach(self._objects.namespace, NAME, DOOR))
        self.address = f"http://{there}"

    def stop(self) -> None:
        """From now on it scrapes nothing and refuses queries; it forgets nothing."""
        self._tell("stop")

    def start(self) -> None:
        """It goes on where it was stopped."""
        self._tell("start")

    def close(self) -> None:
        """Ends the way there; the namespace takes the rest with it."""
        self._open.close()

    def _tell(self, word: str) -> None:
        # Not by kubectl, which takes seconds to start on a busy machine: outages begin and end on time.
        self._objects.proxied("GET", NAME, COMPANION, word)

    def _runs(self) -> bool:
        pod = self._objects.get("Pod", NAME) or {}
        states = pod.get("status", {}).get("containerStatuses", [])
        return bool(states) and all("running" in one.get("state", {}) for one in states)

    def _state(self) -> str:
        return str((self._objects.get("Pod", NAME) or {}).get("status", "there is no pod of it"))


def wait_until_seen(query: Callable[[str], Answer], pods: Callable[[], Iterable[Object]]) -> None:
    """Returns when every pod that asks to be scraped is ``up``; WaitError with both lists otherwise."""

    def unseen() -> list[str]:
        return sorted({pod["metadata"]["name"] for pod in pods() if is_wanted(pod)} - up(query("up == 1")))

    wait_until(
        lambda: not unseen(), "Prometheus sees every pod", SEES_WITHIN_S, lambda: f"not seen: {', '.join(unseen())}"
    )


def up(answer: Answer) -> set[str]:
    """The pods that were scraped with success."""
    return {one["metric"].get("instance", "") for one in answer.get("result", ())}
