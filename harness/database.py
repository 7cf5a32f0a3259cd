"""A PostgreSQL beside the cluster for the application to depend on: its troubles are real faults of every version."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.app.database import set_up
from harness.app.postgres import DatabaseError, Place, Session
from harness.containers import container
from harness.images import Images
from harness.waiting import wait_until

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

KIND: Final = "kind"
"""Docker's network that kind's nodes are in, so that pods reach what is in it."""
READY_S: Final = 60.0
_PORT: Final = 5432


@dataclass(frozen=True, slots=True)
class Database:
    """A running PostgreSQL with the application's table."""

    dsn: str
    """For pods (``harness.app.environment``) and, where containers can be reached from this machine, for everybody."""
    container: DockerContainer

    def break_off(self) -> None:
        """It answers nobody any more, and nobody's connection is closed: the application waits until its patience is over."""
        self.container.get_wrapped_container().pause()

    def mend(self) -> None:
        """It goes on."""
        self.container.get_wrapped_container().unpause()

    async def hold(self, seconds: float) -> None:
        """Locks the application's table for so long, as a migration would: queries wait."""
        session = await Session.open(Place.of(self.dsn))
        try:
            await session.query(
                f"BEGIN; LOCK TABLE rolltwin_items IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({float(seconds)}); COMMIT"
            )
        finally:
            session.close()


@contextmanager
def database(images: Images, network: str = KIND) -> Iterator[Database]:
    """A new, empty database in one of Docker's networks while the context lasts.

    MissingError without Docker or testcontainers; WaitError where this machine cannot reach containers by their address.
    """
    password = secrets.token_hex(8)
    made = container(images.reference("postgres"), "it starts PostgreSQL").with_env("POSTGRES_PASSWORD", password)
    with made.with_kwargs(network=network) as running:
        address = _address(running, network)
        dsn = f"postgresql://postgres:{password}@{address}:{_PORT}/postgres"
        wait_until(lambda: _is_set_up(dsn), "the database has its table", READY_S, lambda: _said(running))
        yield Database(dsn, running)


def _address(running: DockerContainer, network: str) -> str:
    wrapped = running.get_wrapped_container()
    wrapped.reload()
    return str(wrapped.attrs["NetworkSettings"]["Networks"][network]["IPAddress"])


def _is_set_up(dsn: str) -> bool:
    try:
        asyncio.run(asyncio.wait_for(set_up(dsn), 5.0))
    except (OSError, EOFError, DatabaseError):
        return False
    return True


def _said(running: DockerContainer) -> str:
    out, err = running.get_logs()
    return (out + err).decode(errors="replace")[-2000:]
