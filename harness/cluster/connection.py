"""Requests to one API server: lightkube reads the kubeconfig and authenticates, objects stay plain JSON.

lightkube's own watch neither starts again after a 410 inside the stream nor ends when another thread says so; ours must.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness import missing
from harness.cluster.kinds import Resource, known
from harness.cluster.objects import Object

if TYPE_CHECKING:
    import httpx2

REQUEST_S = 30.0
"""A busy control plane on a laptop answers slowly, but it answers."""
WATCH_S = 270
"""The server ends a watch after this long; a connection that is silent for longer is dead."""


NOT_FOUND = 404


class ApiError(Exception):
    """The API server's refusal. ``reason`` is its word (NotFound, AlreadyExists, Expired ...)."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(f"{code} {reason}: {message}".strip())

    @classmethod
    def of(cls, status: Mapping[str, Any]) -> ApiError:
        """The error that a Status object states."""
        return cls(int(status.get("code", 0)), str(status.get("reason", "")), str(status.get("message", "")))


class LostError(Exception):
    """The API server did not answer, or stopped in the middle."""

    def __init__(self, path: str, cause: Exception) -> None:
        super().__init__(f"{path}: {type(cause).__name__}: {cause}")


class UnknownKindError(ValueError):
    """A kind without group and version that is not one of the well-known."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind}: only well-known kinds have a short name, write group/version/Kind")


class Connection:
    """One API server, from whatever thread. The kubeconfig has exactly one context.

    ``proxy`` is a socket at which somebody answers for the server who has seen to the user's identity.
    """

    def __init__(self, kubeconfig: Path, proxy: Path | None = None) -> None:
        missing.need(missing.client())
        self._client = _client(kubeconfig) if proxy is None else _through(proxy)
        self._discovered: dict[str, Resource] = {}
        self._lock = Lock()

    def ask(self, method: str, path: str, body: object = None, *, media: str = "", **query: str) -> bytes:
        """The answer's body; ApiError or LostError."""
        import httpx2  # noqa: PLC0415 an optional package

        headers = {"Content-Type": media or "application/json"} if body is not None else {}
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        try:
            answer = self._client.request(method, path, content=content, headers=headers, params=query)
        except httpx2.HTTPError as error:
            raise LostError(path, error) from error
        if answer.is_error:
            raise _refusal(answer)
        return answer.content

    def json(self, method: str, path: str, body: object = None, *, media: str = "", **query: str) -> Object:
        """The answer as an object."""
        answer: Object = json.loads(self.ask(method, path, body, media=media, **query))
        return answer

    @contextmanager
    def lines(self, path: str, opened: Callable[[socket.socket], None], **query: str) -> Iterator[Iterator[bytes]]:
        """The lines of an answer that goes on. ``opened`` gets its socket, so that another thread can end it."""
        import httpx2  # noqa: PLC0415 an optional package

        timeout = httpx2.Timeout(REQUEST_S, read=WATCH_S + REQUEST_S)
        try:
            with self._client.stream("GET", path, params=query, timeout=timeout) as answer:
                if answer.is_error:
                    answer.read()
                    raise _refusal(answer)
                opened(answer.extensions["network_stream"].get_extra_info("socket"))
                yield _lines(answer.iter_bytes())
        except httpx2.HTTPError as error:
            raise LostError(path, error) from error

    def resource(self, kind: str) -> Resource:
        """What ``Pod``, ``apps/v1/ReplicaSet`` or any other ``group/version/Kind`` of this server is."""
        found = known(kind)
        if found:
            return found
        api_version, _, bare = kind.rpartition("/")
        if not api_version:
            raise UnknownKindError(kind)
        with self._lock:
            if kind not in self._discovered:
                self._discovered |= self._discover(api_version)
        if kind not in self._discovered:
            raise ApiError(404, "NotFound", f"the server knows no {bare} in {api_version}")
        return self._discovered[kind]

    def _discover(self, api_version: str) -> dict[str, Resource]:
        root = "api" if api_version == "v1" else "apis"
        listed = self.json("GET", f"/{root}/{api_version}")["resources"]
        return {
            f"{api_version}/{item['kind']}": Resource(api_version, item["kind"], item["name"], item["namespaced"])
            for item in listed
            if "/" not in item["name"]
        }

    def close(self) -> None:
        """Closes what is open."""
        self._client.close()


def _client(kubeconfig: Path) -> httpx2.Client:
    import httpx2  # noqa: PLC0415 an optional package
    from lightkube import KubeConfig  # noqa: PLC0415 an optional package
    from lightkube.config.client_adapter import Client, ConnectionParams  # noqa: PLC0415 an optional package

    config = KubeConfig.from_file(kubeconfig).get()
    assert config is not None, f"{kubeconfig} has no current context"  # noqa: S101 we wrote the file
    # A proxy of the environment is for the world outside, not for a cluster on this machine.
    beyond = not _is_here(config.cluster.server)
    return Client(config, ConnectionParams(timeout=httpx2.Timeout(REQUEST_S), trust_env=beyond))


def _through(proxy: Path) -> httpx2.Client:
    import httpx2  # noqa: PLC0415 an optional package

    transport = httpx2.HTTPTransport(uds=str(proxy))
    return httpx2.Client(base_url="http://localhost", transport=transport, timeout=httpx2.Timeout(REQUEST_S))


def _is_here(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines as soon as they are there. Only line feeds end them: JSON may hold Unicode's other separators."""
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        yield from filter(None, whole)


def _refusal(answer: httpx2.Response) -> ApiError:
    try:
        status = answer.json()
    except ValueError:
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return ApiError.of({"code": answer.status_code, **status})
    return ApiError(answer.status_code, answer.reason_phrase, answer.text[:500])
