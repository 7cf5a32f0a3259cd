"""Ports of a cluster on this machine's loopback: ``kubectl port-forward``, looked after while it is needed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from harness.cluster.cluster import Address
from harness.waiting import wait_until

OPEN_S = 60.0
_AGAIN_S = 0.5
_OPENED = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@contextmanager
def forwarded(kubectl: Sequence[str], namespace: str, target: str, port: int) -> Iterator[Address]:
    """The address at which a Service's (``svc/NAME``) or a pod's port is reached; the system picks a free port.

    kubectl ends when the pod behind it ends; it is then started again with the same port.
    """
    forward = Forward([*kubectl, "--namespace", namespace, "port-forward", "--address", "127.0.0.1", target], port)
    try:
        wait_until(lambda: forward.address, f"port {port} of {target}", OPEN_S, lambda: forward.said)
        assert forward.address is not None  # noqa: S101 that was waited for
        yield forward.address
    finally:
        forward.close()


class Forward:
    """One forwarded port. ``said`` is what kubectl said last."""

    def __init__(self, command: Sequence[str], port: int) -> None:
        self.address: Address | None = None
        self.said = ""
        self._command = command
        self._port = port
        self._closing = Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = Thread(target=self._keep_open, name=f"port {port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends kubectl and the thread that looks after it."""
        self._closing.set()
        while self._thread.is_alive():
            if self._process is not None:
                self._process.terminate()
            self._thread.join(timeout=0.1)

    def _keep_open(self) -> None:
        while not self._closing.is_set():
            local = self.address.port if self.address else ""
            with subprocess.Popen(  # noqa: S603 no shell, and the words are ours
                [*self._command, f"{local}:{self._port}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            ) as self._process:
                assert self._process.stdout is not None  # noqa: S101 it was asked for
                for line in self._process.stdout:
                    self._hear(line)
            self._closing.wait(_AGAIN_S)

    def _hear(self, line: str) -> None:
        self.said = line.strip()
        opened = _OPENED.match(line)
        if opened and self.address is None:
            self.address = Address("127.0.0.1", int(opened[1]))
