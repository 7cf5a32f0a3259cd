"""Ending in order: what a run made is taken away again when somebody stops it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM are ignored, here and by programs started meanwhile: taking away must not stop half-way."""
    with _handlers(dict.fromkeys((signal.SIGINT, signal.SIGTERM), signal.SIG_IGN)):
        yield


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """SIGTERM is heard as Ctrl-C is, so that every context ends."""
    with _handlers({signal.SIGTERM: signal.default_int_handler}):
        yield


@contextmanager
def _handlers(wanted: dict[signal.Signals, object]) -> Iterator[None]:
    if current_thread() is not main_thread():  # Python lets nobody else set handlers
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
