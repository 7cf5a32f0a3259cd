"""Beside Prometheus in its pod: gathers the pods' samples on one page, and plays its outage.

It tells Prometheus which pods there are and under which labels. Prometheus looks for new targets every 5 s and takes them
up every 5 s, both fixed. In a time-compressed run these would be minutes, so there it scrapes this page instead, which
knows every pod at once. During an outage the process is stopped
(SIGSTOP), so that it neither scrapes nor forgets, and the door to it is shut, so that queries are refused.
"""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.monitoring.inside.front import Door
from harness.monitoring.inside.page import Labelling, Sources, Target, target_labels, tells_target, value_of
from harness.monitoring.inside.pods import Pod, Pods

Said = tuple[int, str, str]
EXPOSITION = "text/plain; version=0.0.4"
SCRAPE = "rolltwin.dev/scrape"
"""Annotation of the pods to scrape (``true``)."""
WORKERS = 24
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Pods are never behind the machine's proxy."""


class Gathering:
    """Asks every pod for its samples at once. ``place`` says where a pod is scraped, ``ask`` does it."""

    def __init__(
        self, sources: Sources, place: Callable[[Pod], tuple[str, str]], ask: Callable[[Target], str | None]
    ) -> None:
        self._sources, self._place, self._ask = sources, place, ask
        self._labelling = Labelling(sources)
        self._told = {one for _, candidates in sources for one in candidates if tells_target(one)}
        self._workers = ThreadPoolExecutor(WORKERS)

    def page(self, pods: Iterable[Pod]) -> str:
        """Every pod's samples, and ``up`` of each pod that has an address."""
        targets = [self.target(pod) for pod in pods if is_wanted(pod)]
        self._labelling.forget(target.name for target in targets)
        lines: list[str] = []
        for target, text in zip(targets, self._workers.map(self._ask, targets), strict=True):
            lines.append(self._labelling.up(target, answered=text is not None))
            lines.extend(self._labelling.samples(target, text or ""))
        return "\n".join([*lines, ""])

    def targets(self, pods: Iterable[Pod]) -> str:
        """Where every pod is scraped and under which labels, as Prometheus' HTTP discovery reads it."""
        found = [self.target(pod) for pod in pods if is_wanted(pod)]
        return json.dumps([{"targets": [one.address], "labels": self._labels(one)} for one in found])

    def target(self, pod: Pod) -> Target:
        """Where and as what a pod is scraped."""
        values = {source: value_of(source, pod) for source in self._told}
        return Target(pod["metadata"]["name"], *self._place(pod), values)

    def close(self) -> None:
        """Asks nobody any more."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _labels(self, target: Target) -> dict[str, str]:
        return {"__metrics_path__": target.path, **target_labels(self._sources, target.values)}


def asks_directly(patience_s: float) -> Callable[[Target], str | None]:
    """Asks a pod at its own address; None where it does not answer in time."""

    def ask(target: Target) -> str | None:
        try:
            with _DIRECT.open(f"http://{target.address}{target.path}", timeout=patience_s) as answer:
                return str(answer.read().decode())
        except (OSError, HTTPException):
            return None

    return ask


def is_wanted(pod: Pod) -> bool:
    """Whether a pod asks to be scraped and can be."""
    asks = (pod["metadata"].get("annotations") or {}).get(SCRAPE) == "true"
    status = pod.get("status", {})
    return asks and bool(status.get("podIP")) and status.get("phase") not in {"Succeeded", "Failed"}


def processes(name: str) -> list[int]:
    """Ids of the processes of this name; the pod's containers share their process ids."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _name(folder) == name]


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""  # it has ended meanwhile


class Companion:
    """The page and the outage, told apart by the path asked for."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._pods = Pods()
        self._pods.start()
        port = settings["scrape_port"]
        self._gathering = Gathering(
            settings["labels"],
            lambda pod: (f"{pod['status']['podIP']}:{port}", "/metrics"),
            asks_directly(settings["patience_s"]),
        )
        self._door = Door("0.0.0.0", settings["door_port"], ("127.0.0.1", settings["prometheus_port"]))  # noqa: S104
        self._door.open()

    def answer(self, path: str) -> Said:
        """Status, type and text."""
        match path:
            case "/metrics":
                return 200, EXPOSITION, self._gathering.page(self._pods.current())
            case "/targets":
                return 200, "application/json", self._gathering.targets(self._pods.current())
            case "/stop":
                self._door.shut()
                return 200, "text/plain", self._signal(signal.SIGSTOP)
            case "/start":
                told = self._signal(signal.SIGCONT)
                self._door.open()
                return 200, "text/plain", told
        return 404, "text/plain", "there are /metrics, /targets, /stop and /start\n"

    @staticmethod
    def _signal(number: signal.Signals) -> str:
        found = processes("prometheus")
        for one in found:
            os.kill(one, number)
        return f"{number.name} {found}\n"


def served(answer: Callable[[str], Said], host: str, port: int) -> ThreadingHTTPServer:
    """A server that answers every path with what ``answer`` says, once it is told to serve."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, text = answer(self.path)
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # the name is http.server's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
            """Says nothing."""

    return ThreadingHTTPServer((host, port), Handler)


def main() -> None:
    """Serves for ever."""
    settings = json.loads(os.environ["ROLLTWIN_COMPANION"])
    served(Companion(settings).answer, "0.0.0.0", settings["companion_port"]).serve_forever()  # noqa: S104


if __name__ == "__main__":
    main()
