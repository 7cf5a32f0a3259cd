"""Prometheus as a process of this machine and as a container."""

from __future__ import annotations

import signal
import subprocess
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from harness import missing
from harness.containers import container
from harness.monitoring.beside import free_port
from harness.waiting import wait_until

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

_WHY = "it starts Prometheus as a container"
READY_S = 60.0
_PORT = 9090
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Process:
    """``prometheus`` of this machine (ROLLTWIN_PROMETHEUS), such as Debian's package has it; its data are in a folder."""

    listens = companion_host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        how = "Install Debian's package prometheus, or name the program with ROLLTWIN_PROMETHEUS."
        found = missing.program("prometheus", "ROLLTWIN_PROMETHEUS", "metrics are scraped and queried with it", how)
        missing.need(found)
        self._program, self._folder = str(found), folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def what(self) -> str:
        """See ``Server.what``."""
        return "this machine's own"

    def start(self, config: Path) -> tuple[str, int]:
        """See ``Server.start``."""
        port = free_port()
        log = self._folder / "prometheus.log"
        with log.open("wb") as file:
            self._process = subprocess.Popen(  # noqa: S603  # no shell, and the words are ours
                [self._program, *arguments(config, self._folder / "data", port)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(
            lambda: is_ready(port), "Prometheus is ready", READY_S, lambda: log.read_text(encoding="utf-8")[-2000:]
        )
        return "127.0.0.1", port

    def freeze(self) -> None:
        """See ``Server.freeze``."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """See ``Server.thaw``."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """See ``Server.close``: its data are of no use any more, so it is not asked to save them."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


class Container:
    """A container of an image, started by testcontainers; it reaches this machine by the name Docker gives it."""

    listens = "0.0.0.0"  # noqa: S104  # the bridge's address is Docker's to choose
    companion_host = "host.docker.internal"

    def __init__(self, image: str) -> None:
        missing.need(missing.docker(), missing.package("testcontainers", _WHY))
        self._image = image
        self._container: DockerContainer | None = None

    @property
    def what(self) -> str:
        """See ``Server.what``."""
        return self._image

    def start(self, config: Path) -> tuple[str, int]:
        """See ``Server.start``."""
        config.chmod(0o644)
        inside = "/etc/rolltwin/prometheus.yml"
        # The image's own folder for data belongs to whomever it runs as.
        flags = arguments(Path(inside), Path("/tmp/data"), _PORT, host="0.0.0.0")  # noqa: S104, S108
        self._container = (
            container(self._image, _WHY)
            .with_command(flags)
            .with_volume_mapping(str(config), inside, "ro")
            .with_exposed_ports(_PORT)
            .with_kwargs(extra_hosts={self.companion_host: "host-gateway"})
        )
        self._container.start()
        host, port = self._container.get_container_host_ip(), int(self._container.get_exposed_port(_PORT))
        wait_until(lambda: is_ready(port, host), "Prometheus is ready", READY_S, self._said)
        return host, port

    def freeze(self) -> None:
        """See ``Server.freeze``."""
        if self._container is not None:
            self._container.get_wrapped_container().pause()

    def thaw(self) -> None:
        """See ``Server.thaw``."""
        if self._container is not None:
            self._container.get_wrapped_container().unpause()

    def close(self) -> None:
        """See ``Server.close``."""
        if self._container is not None:
            self._container.stop()

    def _said(self) -> str:
        out, err = self._container.get_logs() if self._container is not None else (b"", b"")
        return (out + err).decode(errors="replace")[-2000:]


def arguments(config: Path, data: Path, port: int, host: str = "127.0.0.1") -> list[str]:
    """Prometheus' command line."""
    flags = {"config.file": config, "storage.tsdb.path": data, "web.listen-address": f"{host}:{port}"}
    return [f"--{name}={value}" for name, value in flags.items()]


def is_ready(port: int, host: str = "127.0.0.1") -> bool:
    """Whether Prometheus says so."""
    try:
        with _DIRECT.open(f"http://{host}:{port}/-/ready", timeout=5) as answer:
            return int(answer.status) == 200
    except (OSError, HTTPException):
        return False
