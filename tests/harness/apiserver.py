"""A small API server on this machine's loopback: collections of objects, watches, and the ways in which they break."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harness.cluster.objects import Object

Line = dict[str, Any] | None
"""What a watch hears; None ends the connection."""


class Server(ThreadingHTTPServer):
    """Holds what is asked of it. ``objects`` maps an object's path to itself, ``asked`` lists every request."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, Object] = {}
        self.answers: dict[str, Object] = {}
        """Fixed answers by path, before anything else."""
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.watches: list[SimpleQueue[Line]] = []
        self.refusal: Object | None = None
        """Given instead of the next lists, while it is set."""
        self.lock = Lock()
        self._version = 0

    def version(self) -> str:
        self._version += 1
        return str(self._version)

    def put(self, path: str, **fields: Any) -> Object:
        """Stores an object and tells whoever watches."""
        name = path.rpartition("/")[2]
        kind = "MODIFIED" if path in self.objects else "ADDED"
        metadata = {**fields.pop("metadata", {}), "name": name, "resourceVersion": self.version()}
        self.objects[path] = {**fields, "metadata": metadata}
        self.tell(kind, self.objects[path])
        return self.objects[path]

    def drop(self, path: str) -> None:
        self.tell("DELETED", self.objects.pop(path))

    def tell(self, kind: str, obj: Object) -> None:
        for watch in self.watches:
            watch.put({"type": kind, "object": obj})

    def hang_up(self) -> None:
        """Ends every watch, as a server or a proxy does that restarts."""
        watches, self.watches = self.watches, []
        for watch in watches:
            watch.put(None)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.server.asked.append(("GET", url.path, query, None))
        if url.path in self.server.answers:
            self.say(200, self.server.answers[url.path])
        elif query.get("watch"):
            self.stream()
        elif url.path in self.server.objects:
            self.say(200, self.server.objects[url.path])
        elif self.server.refusal is not None and len(url.path.split("/")) % 2 == 0:
            self.say(self.server.refusal["code"], self.server.refusal)
        elif any(path.rpartition("/")[0] == url.path for path in self.server.objects) or "/namespaces/" in url.path:
            items = [item for path, item in self.server.objects.items() if path.rpartition("/")[0] == url.path]
            if not items and url.path.rpartition("/")[2] not in ("pods", "services"):
                self.missing()
            else:
                self.say(200, {"metadata": {"resourceVersion": self.server.version()}, "items": items})
        else:
            self.missing()

    def stream(self) -> None:
        queue: SimpleQueue[Line] = SimpleQueue()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()
        self.server.watches.append(queue)
        while (line := queue.get()) is not None:
            self.wfile.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            self.wfile.flush()
        self.close_connection = True

    def do_PATCH(self) -> None:
        self.write()

    def do_POST(self) -> None:
        self.write()

    def do_DELETE(self) -> None:
        self.write()

    def write(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        self.server.asked.append((self.command, url.path, query, body))
        if self.command == "DELETE" and url.path not in self.server.objects:
            self.missing()
        elif self.command == "DELETE":
            self.server.drop(url.path)
            self.say(200, {"kind": "Status", "status": "Success"})
        else:
            self.say(200, body)

    def missing(self) -> None:
        self.say(404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": f"{self.path} not found"})

    def say(self, code: int, obj: Object) -> None:
        content = json.dumps(obj).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
        """Says nothing."""


@contextmanager
def running() -> Iterator[Server]:
    """A server while the context lasts; every connection is closed after it."""
    server = Server()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.hang_up()
        server.shutdown()
        thread.join()
        server.server_close()


def kubeconfig(server: Server, folder: Path) -> Path:
    """A file with one context: this server."""
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "me", "user": {}}],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config), encoding="utf-8")
    return file
