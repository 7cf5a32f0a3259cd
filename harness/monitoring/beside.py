"""A Prometheus beside the cluster: a process of this machine or a container, which reaches pods through the API server.

The harness is its companion here: it tells which pods there are, passes their samples on, and keeps the door. The
controllers in the cluster do not reach it, so it serves the decision makers that ask from this machine.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from harness.cluster.objects import Object
from harness.monitoring.configuration import Discovery, configuration
from harness.monitoring.inside.companion import EXPOSITION, Gathering, Said, served
from harness.monitoring.inside.front import Door
from harness.monitoring.inside.page import Target
from sim.model.telemetry import PrometheusTelemetry


class Server(Protocol):
    """A Prometheus process, wherever it runs."""

    listens: str
    """Host on which the companion has to listen so that the process reaches it."""
    companion_host: str
    """The same as the process names it."""

    @property
    def what(self) -> str:
        """Its image, or whose program it is, for people to read."""
        ...

    def start(self, config: Path) -> tuple[str, int]:
        """Runs it with this configuration until it is ready; where it listens."""
        ...

    def freeze(self) -> None:
        """It does nothing any more, and forgets nothing."""
        ...

    def thaw(self) -> None:
        """It goes on."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of a namespace and the way to them."""

    current: Callable[[], Iterable[Object]]
    ask: Callable[[str], str | None]
    """The samples of the pod of this name; None if it does not answer."""


class Beside:
    """See the module. ``close`` ends everything that ``stand`` began."""

    def __init__(self, telemetry: PrometheusTelemetry, discovery: Discovery, server: Server, pods: Pods) -> None:
        self._telemetry, self._discovery, self._server, self._pods = telemetry, discovery, server, pods
        self._open = ExitStack()
        self._door: Door | None = None
        self.address = ""
        """Where this machine asks."""
        self.cluster_ip = ""
        """Pods do not reach it."""

    @property
    def what(self) -> str:
        """Its image, or whose program it is."""
        return self._server.what

    def stand(self, folder: Path) -> None:
        """Starts it with its configuration in a folder, and returns when it is ready."""
        companion = self._companion()
        text = json.dumps(configuration(self._telemetry, self._discovery, companion), indent=1)
        config = folder / "prometheus.yml"
        config.write_text(text, encoding="utf-8")
        behind = self._server.start(config)
        self._open.callback(self._server.close)
        port = free_port()
        self._door = Door("127.0.0.1", port, behind)
        self._door.open()
        self._open.callback(self._door.shut)
        self.address = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """From now on it scrapes nothing and refuses queries; it forgets nothing."""
        if self._door is not None:
            self._door.shut()
        self._server.freeze()

    def start(self) -> None:
        """It goes on where it was stopped."""
        self._server.thaw()
        if self._door is not None:
            self._door.open()

    def close(self) -> None:
        """Ends the process and what led to it."""
        self._open.close()

    def _companion(self) -> str:
        page: ThreadingHTTPServer
        page = served(lambda path: self._answer(path, gathering), self._server.listens, 0)
        place = f"{self._server.companion_host}:{page.server_port}"
        sources = [(label.name, label.sources) for label in self._telemetry.labels]
        gathering = Gathering(sources, lambda pod: (place, f"/pods/{pod['metadata']['name']}"), self._ask)
        threading.Thread(target=page.serve_forever, args=(0.05,), name="companion", daemon=True).start()
        self._open.callback(gathering.close)
        self._open.callback(page.server_close)
        self._open.callback(page.shutdown)
        return place

    def _answer(self, path: str, gathering: Gathering) -> Said:
        match path.split("/"):
            case ["", "metrics"]:
                return 200, EXPOSITION, gathering.page(self._pods.current())
            case ["", "targets"]:
                return 200, "application/json", gathering.targets(self._pods.current())
            case ["", "pods", name]:
                text = self._pods.ask(name)
                return (200, EXPOSITION, text) if text is not None else (502, "text/plain", "no answer\n")
        return 404, "text/plain", "there are /metrics, /targets and /pods/NAME\n"

    def _ask(self, target: Target) -> str | None:
        return self._pods.ask(urlsplit(target.path).path.rpartition("/")[2])


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
