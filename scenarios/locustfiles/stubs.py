"""The world in which a Locust file's users are watched: time that only passes when they wait, and kind answers.

Runs inside the survey's process only.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import exp, log
from typing import Any, Final
from urllib.parse import urlsplit

import gevent
from gevent import GreenletExit, getcurrent
from geventhttpclient.response import HTTPResponse
from locust import clients
from locust.contrib import fasthttp
from locust.user import task, wait_time
from requests import Response
from requests.adapters import HTTPAdapter
from requests.utils import default_headers

EPOCH_S: Final = 1_767_225_600.0
"""UNIX time that the file sees at its start (2026-01-01): what it finds must not depend on the day."""
ENOUGH_SLEEPS: Final = 50_000
"""Of a user that asks for nothing."""
STRAY_SLEEPS: Final = 1000
"""Of a greenlet that is no user's: it would look at its watch for ever."""
_PLAIN: Final = {"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host"}
"""Headers that clients set by themselves or that differ from user to user."""
Kind = tuple[str, str, str, tuple[tuple[str, str], ...], str]
"""(method, path with query, name, own headers, host)."""


class Enough(GreenletExit):  # type: ignore[misc]
    """The user has been watched for long enough; Locust lets it go through."""


@dataclass
class Watch:
    """Virtual time and what was asked in it; ``takes_s`` draws how long an answer takes."""

    takes_s: Callable[[], float]
    enough: int = 1000
    """Requests after which a user has shown what it does."""
    now_s: float = 0.0
    begun_s: float = 0.0
    sleeps: int = 0
    asked: Counter[Kind] = field(default_factory=Counter)
    user: Any = None
    """The greenlet of the user that is watched; None while there is none."""
    names: list[str] = field(default_factory=list)
    """Of the requests under way, innermost last: what Locust's statistics would call them."""
    _strays: Counter[int] = field(default_factory=Counter)

    def begin(self) -> None:
        """A user starts its tasks: what it did before is not what it does all day."""
        self.begun_s, self.sleeps, self.asked = self.now_s, 0, Counter()

    @property
    def is_enough(self) -> bool:
        """Whether the user may go."""
        return self.asked.total() >= self.enough or self.sleeps > ENOUGH_SLEEPS

    def sleep(self, seconds: Any = 0, *_: Any, **__: Any) -> None:
        """Time passes for the user that is watched; anybody else gives way."""
        if self.user is not None and getcurrent() is not self.user:
            self._stray()
            return
        self.now_s += max(0.0, float(seconds))
        self.sleeps += 1
        self._look()

    def ask(self, method: str, url: str, headers: dict[str, str]) -> None:
        """One request, and the time until its answer."""
        self.now_s += self.takes_s()
        if self.user is None:
            return
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = headers.get("host", parts.hostname or "")
        own = tuple(sorted(item for item in headers.items() if item[0] not in _PLAIN))
        name = self.names[-1] if self.names else ""
        self.asked[method.upper() or "GET", path, name, own, host] += 1
        self._look()

    def _look(self) -> None:
        if self.user is not None and self.is_enough:
            raise Enough

    def _stray(self) -> None:
        greenlet = id(getcurrent())
        self._strays[greenlet] += 1
        if self._strays[greenlet] > STRAY_SLEEPS:
            raise GreenletExit
        REAL_SLEEP(0)


REAL_SLEEP: Final = gevent.sleep


class Benign(str):
    """Whatever a task looks for in an answer, it finds: every key, every attribute, one item."""

    __slots__ = ()

    def __new__(cls, *_: Any) -> Benign:  # noqa: D102, PYI034 - every one is the same
        return super().__new__(cls, "1")

    def __getitem__(self, key: Any) -> Any:
        return Benign()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Benign()

    def __iter__(self) -> Iterator[Any]:
        yield Benign()

    def __len__(self) -> int:
        return 1

    def __contains__(self, _: object) -> bool:
        return True

    def __call__(self, *_: Any, **__: Any) -> Any:  # noqa: D102 - a method of whatever it is
        return Benign()

    def get(self, *_: Any) -> Any:
        """As of a mapping."""
        return Benign()

    def items(self) -> list[tuple[Any, Any]]:
        """As of a mapping."""
        return [(Benign(), Benign())]

    def keys(self) -> list[Any]:
        """As of a mapping."""
        return [Benign()]

    def values(self) -> list[Any]:
        """As of a mapping."""
        return [Benign()]


class Canned(HTTPResponse):
    """An answer of geventhttpclient without a connection."""

    def read(self, *_: Any) -> bytes:
        """The body."""
        return bytes(self._body_buffer)

    def release(self) -> None:
        """There is nothing to give back."""


def latency(median_s: float, shape: str, sigma: float) -> Callable[[], float]:
    """Draws of a random time: see ``sim.model.behaviour.Delay``."""
    draw = random.Random(1)  # noqa: S311 - simulation, not secrets
    match shape:
        case "constant":
            return lambda: median_s
        case "exponential":
            return lambda: draw.expovariate(log(2) / median_s) if median_s else 0.0
        case _:
            return lambda: median_s * exp(sigma * draw.gauss())


def install(watch: Watch) -> None:
    """From now on the watch's time is everybody's, and nothing leaves this process. Before the Locust file is imported."""
    for module, name, value in (
        (time, "sleep", watch.sleep),
        (gevent, "sleep", watch.sleep),
        (time, "time", lambda: EPOCH_S + watch.now_s),
        (time, "perf_counter", lambda: watch.now_s),
        (time, "monotonic", lambda: watch.now_s),
        # These have taken the functions for themselves.
        (wait_time, "perf_counter", lambda: watch.now_s),
        (task, "perf_counter", lambda: watch.now_s),
        (task, "time", lambda: EPOCH_S + watch.now_s),
        (HTTPAdapter, "send", lambda _self, request, **_: _answer(request)),
        (clients.LocustHttpAdapter, "send", lambda _self, request, **_: _asked_for(watch, request)),
        (fasthttp.LocustUserAgent, "_urlopen", lambda _self, request: _fast(watch, request)),
        (Response, "json", lambda _self, **_: Benign()),
        (fasthttp.FastResponse, "json", lambda _self: Benign()),
    ):
        setattr(module, name, value)
    _name_requests(watch, clients.HttpSession)
    _name_requests(watch, fasthttp.FastHttpSession)


def _name_requests(watch: Watch, session: Any) -> None:
    request = session.request

    def named(self: Any, method: Any, url: Any, name: Any = None, *args: Any, **more: Any) -> Any:
        watch.names.append(str(name or self.request_name or ""))
        try:
            return request(self, method, url, name, *args, **more)
        finally:
            watch.names.pop()

    session.request = named


def _asked_for(watch: Watch, request: Any) -> Response:
    usual = {name.lower(): value for name, value in default_headers().items()}
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    own = {name: value for name, value in headers.items() if usual.get(name) != value}
    watch.ask(request.method, request.url, own)
    return _answer(request)


def _answer(request: Any) -> Response:
    answer = Response()
    answer.status_code, answer.url, answer.request = 200, request.url, request
    answer.reason, answer.encoding = "OK", "utf-8"
    answer.headers["Content-Type"] = "application/json"
    answer._content = b"{}"  # noqa: SLF001 - as requests' own adapters fill it in
    return answer


def _fast(watch: Watch, request: Any) -> Any:
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    usual = headers.get("user-agent", "").startswith("python/gevent-http-client")
    own = {name: value for name, value in headers.items() if not (usual and name == "user-agent")}
    watch.ask(request.method, f"http://{request.url_split.host}{request.url_split.request_uri}", own)
    canned: Any = Canned(request.method)
    canned.feed(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    return fasthttp.FastResponse(canned, request=request)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def quiet() -> Any:
    """Where the survey's own answer goes; what the Locust file prints goes to standard error."""
    answer, sys.stdout = sys.stdout, sys.stderr
    return answer
