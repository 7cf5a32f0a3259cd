"""Engines that cannot be used."""

from __future__ import annotations

from errno import EIO


class EngineError(OSError):
    """An engine that cannot be used; ``filename`` says which and ``strerror`` why."""

    def __init__(self, engine: str, why: str) -> None:
        super().__init__(EIO, why, engine)
