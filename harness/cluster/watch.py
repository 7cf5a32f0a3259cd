"""A live picture of one kind: list, watch, and list again whenever the thread of changes is lost."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Lock, Thread

from harness.cluster.connection import REQUEST_S, WATCH_S, ApiError, Connection, LostError
from harness.cluster.kinds import Resource
from harness.cluster.objects import Object
from harness.waiting import WaitError

Listener = Callable[[str, Object | None, float], None]
GONE = 410
_REFUSALS = (400, 401, 403, 404, 405)
"""What stays so until somebody changes the server; anything else passes by itself."""
_PATIENCE_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between attempts, while the server does not answer."""


class Watch:
    """One kind in one namespace. One thread hears, another tells, so that a slow listener delays no time stamp."""

    def __init__(self, connection: Connection, resource: Resource, namespace: str) -> None:
        self._connection = connection
        self._resource = resource
        self._path = resource.path(namespace)
        self._picture: dict[str, Object] = {}
        self._heard = Event()
        self._closing = Event()
        self._trouble: Exception | None = None
        self._refused: ApiError | None = None
        self._socket: socket.socket | None = None
        self._lock = Lock()
        self._news: SimpleQueue[tuple[str, Object | None, float] | Listener | None] = SimpleQueue()
        name = f"watch {resource.kind} {namespace}"
        self._threads = [
            Thread(target=work, name=name, daemon=True) for work in (self._hear_until_closed, self._tell_until_closed)
        ]
        for thread in self._threads:
            thread.start()

    def current(self) -> Mapping[str, Object]:
        """The objects by name; waits for the first list. ApiError if the server refuses to list them."""
        if not self._heard.wait(2 * REQUEST_S):
            raise WaitError(self._path, 2 * REQUEST_S, f"never listed: {self._trouble}")
        if self._refused is not None:
            raise self._refused
        return self._picture

    def on_change(self, listener: Listener) -> None:
        """Tells ``listener`` what exists and then every change, in order, on one thread."""
        self._news.put(listener)

    def close(self) -> None:
        """Ends both threads and the connection."""
        with self._lock:
            self._closing.set()
            if self._socket is not None:
                _hang_up(self._socket)
        self._threads[0].join()
        self._news.put(None)
        self._threads[1].join()

    def _hear_until_closed(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                version = self._list()
                failures = 0
                self._follow(version)
            except (ApiError, LostError) as error:
                if isinstance(error, ApiError) and error.code == GONE:
                    continue
                self._complain(error)
                self._closing.wait(_PATIENCE_S[min(failures, len(_PATIENCE_S) - 1)])
                failures += 1

    def _complain(self, error: Exception) -> None:
        self._trouble = error
        if isinstance(error, ApiError) and error.code in _REFUSALS:
            self._refused = error
            self._heard.set()

    def _list(self) -> str:
        listed = self._connection.json("GET", self._path)
        found = {item["metadata"]["name"]: complete(item, self._resource) for item in listed.get("items") or ()}
        for name in [*self._picture]:
            if name not in found:
                self._change(name, None)
        for name, item in found.items():
            if version_of(item) != version_of(self._picture.get(name)):
                self._change(name, item)
        self._refused = None
        self._heard.set()
        return str(listed["metadata"]["resourceVersion"])

    def _follow(self, version: str) -> None:
        """Hears changes from ``version`` on, over as many connections as it takes; an error ends it."""
        while not self._closing.is_set():
            with self._connection.lines(
                self._path,
                self._opened,
                watch="true",
                resourceVersion=version,
                allowWatchBookmarks="true",
                timeoutSeconds=str(WATCH_S),
            ) as lines:
                for line in lines:
                    version = self._hear(json.loads(line))
            with self._lock:
                self._socket = None
            self._closing.wait(_PATIENCE_S[0])  # a server that hangs up at once must not be asked at once

    def _opened(self, connected: socket.socket) -> None:
        with self._lock:
            self._socket = connected
            if self._closing.is_set():
                _hang_up(connected)

    def _hear(self, news: Object) -> str:
        item = news["object"]
        if news["type"] == "ERROR":
            raise ApiError.of(item)
        if news["type"] != "BOOKMARK":
            gone = news["type"] == "DELETED"
            self._change(item["metadata"]["name"], None if gone else complete(item, self._resource))
        return version_of(item)

    def _change(self, name: str, item: Object | None) -> None:
        """A new picture rather than a changed one: whoever has the old one may keep it."""
        picture = {key: value for key, value in self._picture.items() if key != name}
        self._picture = picture if item is None else {**picture, name: item}
        self._news.put((name, item, time.time()))

    def _tell_until_closed(self) -> None:
        listeners: list[Listener] = []
        known: dict[str, tuple[Object, float]] = {}
        while (news := self._news.get()) is not None:
            if not isinstance(news, tuple):
                listeners.append(news)
                for name, (item, at) in known.items():
                    news(name, item, at)
                continue
            name, changed, at = news
            known.pop(name, None)
            if changed is not None:
                known[name] = (changed, at)
            for listener in listeners:
                listener(name, changed, at)


def complete(item: Object, resource: Resource) -> Object:
    """The object with its kind: members of a list come without."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **item}


def version_of(item: Object | None) -> str:
    """The object's resourceVersion."""
    return str(item["metadata"].get("resourceVersion", "")) if item else ""


def _hang_up(connected: socket.socket) -> None:
    # Not SSLSocket's own shutdown: it takes the TLS state from under the thread that reads.
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
