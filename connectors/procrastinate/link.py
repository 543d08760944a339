"""Procrastinate's connections to the server: patient while it is away, and sound behind a connection pooler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import psycopg
from procrastinate import PsycopgConnector, exceptions
from procrastinate.connector import Notify
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import Engine

from ringfence.core.state.postgres import CONNECT_S

POOL = 4
"""Connections at most: a worker asks seldom, however many jobs it carries out."""

WAIT_S = 3.0
"""How long a connection is waited for before the server counts as away, in seconds."""

AWAY_S = 2.0
"""The pause before a server is tried again that is away, in seconds."""

_LISTEN_AGAIN_S = 30.0

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Link(PsycopgConnector):
    """Connections that find Procrastinate's tables in their schema, and wait for a server that is away.

    Once ``is_ending``, nothing is waited for. ``away_since`` tells since when, by the loop's clock, the server has not
    answered, and is None while it does; ``back_at`` when it last came back.
    """

    def __init__(self, engine: Engine, schema: str, is_ending: Callable[[], bool]) -> None:
        options = engine.dialect.create_connect_args(engine.url)[1]
        # Without prepared statements, which a pooler need not know.
        options = {"connect_timeout": CONNECT_S, **options, "prepare_threshold": None}
        super().__init__(kwargs=options, min_size=1, max_size=POOL, timeout=WAIT_S)
        self._path = f'SET LOCAL search_path TO "{schema}"'
        self._is_ending = is_ending
        self.away_since: float | None = None
        self.back_at: float | None = None

    async def open_async(self, pool: AsyncConnectionPool | None = None) -> None:
        """Open the connections, and leave it to whoever needs one to wait for a server that has just gone away."""
        self._async_pool = pool or await self._create_pool(self._pool_args)
        await self._async_pool.open(wait=False)

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Carry a statement out."""
        await self._patiently(lambda: self._execute(query, arguments, fetches=False))

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """Return the first row. Raises NoResult where there is none."""
        rows = await self._patiently(lambda: self._execute(query, arguments))
        if not rows:
            raise exceptions.NoResult
        return rows[0]

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """Return the rows."""
        return await self._patiently(lambda: self._execute(query, arguments))

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Have the server tell of new jobs. Where it cannot be heard, a worker finds them by looking."""
        while True:
            try:
                await super().listen_notify(on_notification, channels)
            except (exceptions.ConnectorException, OSError) as error:
                logger.debug("not told of new jobs", extra={"error": type(error).__name__})
            await asyncio.sleep(_LISTEN_AGAIN_S)

    async def _execute(self, query: Any, arguments: dict[str, Any], *, fetches: bool = True) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(self._path)
            await cursor.execute(query, self._wrap_json(arguments))
            return await cursor.fetchall() if fetches else []

    async def _patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        while True:
            if self.away_since is not None and self._is_ending():
                raise exceptions.ConnectorException
            try:
                result = await act()
            except psycopg.OperationalError as error:
                if self._is_ending():
                    raise exceptions.ConnectorException from error
                self._say_away(error)
            except psycopg.Error as error:
                raise exceptions.ConnectorException from error
            else:
                self._say_back()
                return result
            await asyncio.sleep(AWAY_S)

    def _say_away(self, error: psycopg.OperationalError) -> None:
        if self.away_since is None:
            self.away_since = asyncio.get_running_loop().time()
            words = " ".join(str(error).split())[:200]
            logger.warning("The state store cannot be reached: %s. The worker waits for it.", words)

    def _say_back(self) -> None:
        if self.away_since is not None:
            self.away_since, self.back_at = None, asyncio.get_running_loop().time()
            logger.warning("The state store is back; the worker goes on.")
