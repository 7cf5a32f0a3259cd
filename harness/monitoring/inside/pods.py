"""The pods of the namespace that want to be scraped, kept up to date by a watch of the API server."""

from __future__ import annotations

import json
import os
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
WATCH_S = 300
"""How long one watch lasts; then everything is listed again."""
BETWEEN_S = 0.5
"""Before the API server is asked again after it failed."""

Pod = dict[str, Any]


class Pods:
    """Pods by name. A thread lists, watches, and lists again when the watch ends."""

    def __init__(self) -> None:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        namespace = (ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
        self._url = f"https://{host}:{port}/api/v1/namespaces/{namespace}/pods"
        self._trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
        self._pods: dict[str, Pod] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begins to watch."""
        threading.Thread(target=self._run, name="pods", daemon=True).start()

    def current(self) -> list[Pod]:
        """Every pod of the namespace, as last heard."""
        with self._lock:
            return list(self._pods.values())

    def _run(self) -> None:
        while True:
            try:
                self._watch(self._list())
            except (OSError, ValueError) as error:
                print(f"pods: {error}", file=sys.stderr, flush=True)  # noqa: T201  # the container's log
                time.sleep(BETWEEN_S)

    def _list(self) -> str:
        with self._open("") as answer:
            found = json.load(answer)
        with self._lock:
            self._pods = {pod["metadata"]["name"]: pod for pod in found["items"]}
        return str(found["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> None:
        query = f"?watch=true&resourceVersion={version}&timeoutSeconds={WATCH_S}"
        with self._open(query) as answer:
            for event in _events(answer):
                if event["type"] == "ERROR":
                    return
                if event["type"] in {"ADDED", "MODIFIED", "DELETED"}:
                    with self._lock:
                        apply(self._pods, event)

    def _open(self, query: str) -> Any:
        token = (ACCOUNT / "token").read_text(encoding="utf-8").strip()
        request = urllib.request.Request(self._url + query, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
        return urllib.request.urlopen(request, context=self._trust, timeout=WATCH_S + 30)  # noqa: S310


def apply(pods: dict[str, Pod], event: Mapping[str, Any]) -> None:
    """Brings the pods up to date with one event of a watch."""
    name = event["object"]["metadata"]["name"]
    if event["type"] == "DELETED":
        pods.pop(name, None)
    else:
        pods[name] = event["object"]


def _events(answer: Any) -> Iterator[dict[str, Any]]:
    for line in answer:
        yield json.loads(line)
