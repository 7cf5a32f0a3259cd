"""A running HAProxy, made to act on a table: servers and weights at once, other rules by a reload that loses nothing."""

from __future__ import annotations

import io
import re
import socket
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from harness.cluster.cluster import Address
from harness.gateway.haproxy import MAP, Plan, server_words
from harness.gateway.routes import Server
from harness.waiting import wait_until

_ASK_S = 5.0
_RELOAD_S = 15.0
_BATCH = 20
"""Commands in one go: the runtime API takes lines of up to 16 kB."""
_NEWS = re.compile(r"^(|New server registered\.|IP changed from .*|no need to change .*|port changed from .*)$")


class ProxyError(Exception):
    """HAProxy refused something, in its words."""


@dataclass(slots=True)
class _Known:
    """What the running HAProxy has. Servers are never deleted: those of pods that are gone rest in maintenance."""

    skeleton: str = ""
    weights: Mapping[str, int] = field(default_factory=dict)
    servers: dict[str, dict[str, Server]] = field(default_factory=dict)
    resting: set[tuple[str, str]] = field(default_factory=set)


class Proxy:
    """One HAProxy pod, by the addresses of its runtime API and of its agent."""

    def __init__(self, admin: Address, agent: Address) -> None:
        self._admin = admin
        self._agent = agent
        self._known = _Known()
        self._generation = 0

    def act(self, plan: Plan) -> bool:
        """Makes HAProxy act on a plan, and returns once it does; True if that took a reload.

        OSError if it cannot be reached, ProxyError if it refuses. After either, the next plan is loaded whole.
        """
        known, self._known = self._known, _Known()
        reloads = plan.skeleton != known.skeleton
        if reloads:
            self._load(plan)
            known = _Known(plan.skeleton, plan.weights, {name: dict(one) for name, one in plan.servers.items()})
        else:
            self._run(changes(known.servers, known.resting, plan))
            self._weigh(known.weights, plan.weights)
            self._run(farewells(known.servers, known.resting, plan))
            known = _after(known, plan)
        self._known = known
        return reloads

    def _load(self, plan: Plan) -> None:
        self._generation += 1
        name = f"generation-{self._generation}"
        config = f"global\n  description {name}\n{plan.text}"
        weights = "".join(f"{key} {bound}\n" for key, bound in plan.weights.items())
        said = exchange(self._agent, archive({"haproxy.cfg": config, "weights.map": weights}), _RELOAD_S)
        if said.strip() != "ok":
            raise ProxyError(said)
        wait_until(lambda: self._has(name), "the gateway acts on its new configuration", _RELOAD_S, every_s=0.01)

    def _has(self, name: str) -> bool:
        try:
            return f"escription: {name}\n" in self.ask("show info")
        except OSError:
            # Between two of HAProxy's processes nobody may listen for a moment.
            return False

    def _weigh(self, before: Mapping[str, int], wanted: Mapping[str, int]) -> None:
        changed = [key for key, bound in wanted.items() if before.get(key) != bound]
        if len(changed) == 1:
            self._run([f"set map {MAP} {changed[0]} {wanted[changed[0]]}"])
        elif changed:
            # All at once: no request may meet one new bound and one old one.
            version = self.ask(f"prepare map {MAP}").rpartition(":")[2].strip()
            self._run(f"add map @{version} {MAP} {key} {bound}" for key, bound in wanted.items())
            self._run([f"commit map @{version} {MAP}"])

    def _run(self, commands: Iterable[str]) -> None:
        waiting = list(commands)
        for start in range(0, len(waiting), _BATCH):
            batch = waiting[start : start + _BATCH]
            said = self.ask("; ".join(batch))
            wrong = [line for line in said.splitlines() if not _NEWS.match(line)]
            if wrong:
                message = f"{'; '.join(batch)}: {' '.join(wrong)}"
                raise ProxyError(message)

    def ask(self, commands: str) -> str:
        """What the runtime API says to a line of commands."""
        return exchange(self._admin, f"{commands}\n".encode(), _ASK_S)


def changes(known: Mapping[str, Mapping[str, Server]], resting: set[tuple[str, str]], plan: Plan) -> Iterator[str]:
    """Commands for servers that come, come back, or have another address."""
    for backend, wanted in plan.servers.items():
        treatment = plan.treatment_of(backend)
        for name, server in wanted.items():
            where, before = f"{backend}/{name}", known.get(backend, {}).get(name)
            if before is None:
                yield f"add server {where} {server_words(server, treatment)}"
                if treatment.outlier is not None:
                    yield f"enable health {where}"
                yield f"enable server {where}"
                continue
            if (before.address, before.port) != (server.address, server.port):
                yield f"set server {where} addr {server.address} port {server.port}"
            if (backend, name) in resting:
                yield f"set server {where} state ready"


def farewells(known: Mapping[str, Mapping[str, Server]], resting: set[tuple[str, str]], plan: Plan) -> Iterator[str]:
    """Commands for servers that get no new requests any more; what they have in hand they finish."""
    for backend, servers in known.items():
        for name in servers:
            if name not in plan.servers.get(backend, {}) and (backend, name) not in resting:
                yield f"set server {backend}/{name} state maint"


def _after(known: _Known, plan: Plan) -> _Known:
    servers = {backend: {**known.servers.get(backend, {}), **wanted} for backend, wanted in plan.servers.items()}
    resting = {(backend, name) for backend, one in servers.items() for name in one if name not in plan.servers[backend]}
    return _Known(plan.skeleton, plan.weights, servers, resting)


def archive(texts: Mapping[str, str]) -> bytes:
    """A tar of these files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, text in texts.items():
            data = text.encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def exchange(address: Address, data: bytes, timeout_s: float) -> str:
    """Sends everything, then reads to the end."""
    with socket.create_connection((address.host, address.port), timeout_s) as there:
        there.sendall(data)
        there.shutdown(socket.SHUT_WR)
        parts = []
        while part := there.recv(65536):
            parts.append(part)
    return b"".join(parts).decode(errors="replace")
