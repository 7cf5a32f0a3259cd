"""Containers beside the cluster, started by testcontainers and ended by whoever started them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import missing

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer


def container(image: str, why: str) -> DockerContainer:
    """A container of an image that is here, yet to be started; MissingError without Docker or testcontainers.

    It is ended by ``stop`` alone: the library's own cleaner (Ryuk) is an image that would have to be pulled.
    """
    missing.need(missing.docker(), missing.package("testcontainers", why))
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415 an optional package
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    testcontainers_config.ryuk_disabled = True
    return DockerContainer(image)
