"""A database behind the application: every request looks up one row first, so its troubles are the application's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Final

from harness.app.postgres import DatabaseError, Place, Session

ROWS: Final = 100
SET_UP: Final = (
    "CREATE TABLE IF NOT EXISTS rolltwin_items (id integer PRIMARY KEY, name text NOT NULL)",
    "INSERT INTO rolltwin_items SELECT n, 'item ' || n FROM generate_series(1, 100) AS n ON CONFLICT DO NOTHING",
)
LOOK_UP: Final = "SELECT name FROM rolltwin_items WHERE id = {}"
PATIENCE_S: Final = 5.0
"""After this long without an answer the application gives up and answers with an error."""


class Database:
    """Sessions that requests take turns at: one for each request in service, opened when first needed."""

    def __init__(self, dsn: str, random: Random, patience_s: float = PATIENCE_S) -> None:
        self._place = Place.of(dsn)
        self._random = random
        self._patience_s = patience_s
        self._idle: list[Session] = []
        self._running: set[asyncio.Task[None]] = set()

    def work(self, done: Callable[[bool], None]) -> None:
        """Looks up one row and says whether that went well."""
        task = asyncio.get_running_loop().create_task(self._work(done))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def close(self) -> None:
        """Hangs up everywhere."""
        for session in self._idle:
            session.close()
        self._idle.clear()

    async def _work(self, done: Callable[[bool], None]) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                found = await self._look_up()
        except (OSError, EOFError, DatabaseError):  # a time-out is an OSError
            found = False
        done(found)

    async def _look_up(self) -> bool:
        session = self._idle.pop() if self._idle else await Session.open(self._place)
        try:
            rows = await session.query(LOOK_UP.format(self._random.randint(1, ROWS)))
        except BaseException:
            # Nobody knows what it would say next.
            session.close()
            raise
        self._idle.append(session)
        return bool(rows)


async def set_up(dsn: str) -> None:
    """Makes the table that requests look into."""
    session = await Session.open(Place.of(dsn))
    try:
        for text in SET_UP:
            await session.query(text)
    finally:
        session.close()
