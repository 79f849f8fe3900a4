"""Everything that knows PostgreSQL's connections: their options, and transactions that only read."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.deadlines import seconds_left

#: How long a process waits for a connection, in seconds: for a new one, and for a free one of its pool.
CONNECT_SECONDS = 5
#: libpq's: a server that is gone without a word is noticed within 25 seconds of silence, or two minutes of data that it
#: doesn't take. Not sooner: one that is busy with its disk doesn't take data either.
NOTICE_DEAD_SERVERS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 120_000,
}


#: The nearest moments that every time zone can say.
FIRST, LAST = dt.datetime(1, 1, 2, tzinfo=dt.UTC), dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


def read_any_moment(connection: BaseDatabaseWrapper) -> None:
    """Let a connection read moments that PostgreSQL stores and Python has none for: before year 1 and after 9999."""
    # psycopg is there only with PostgreSQL.
    from psycopg import DataError
    from psycopg.types.datetime import TimestamptzLoader

    class Loader(TimestamptzLoader):
        timezone = dt.UTC  # Django compares it with the connection's

        def load(self, data: Any) -> dt.datetime:
            try:
                return super().load(data).replace(tzinfo=dt.UTC)
            except DataError:
                text = bytes(data)
                return FIRST if text.endswith(b"BC") or text.startswith((b"-", b"0001-")) else LAST

    connection.connection.adapters.register_loader("timestamptz", Loader)


def with_options(config: dict[str, Any], *, pool: int) -> dict[str, Any]:
    """Django's description of a PostgreSQL database with our options, where the URL has none of that name.

    A connection for each thread stays open; with `pool` the threads of a process share at most so many.
    """
    options = {"connect_timeout": CONNECT_SECONDS, **NOTICE_DEAD_SERVERS, **config.get("OPTIONS", {})}
    if not pool:
        return {**config, "OPTIONS": options, "CONN_HEALTH_CHECKS": True}
    options["pool"] = {
        "min_size": 0,
        "max_size": pool,
        "timeout": CONNECT_SECONDS,
        "reconnect_timeout": 1,  # else it waits for minutes before it tries again after a server was away
    }
    return {**config, "OPTIONS": options, "CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 0}


def close_everything() -> None:
    """Close every connection of this process, those of pools too: before it forks.

    A child would share their sockets, and have a pool without the threads that fill it.
    """
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "postgresql":
            connection.close_pool()  # type: ignore[attr-defined]  # this engine's


@contextmanager
def read_only(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """A read-only transaction, as of one moment unless it is part of another one."""
    own = not connection.in_atomic_block
    with transaction.atomic(using=connection.alias):
        if own:
            begin_reading(connection)
        else:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL transaction_read_only = on")
        yield


def begin_reading(connection: BaseDatabaseWrapper) -> None:
    """Make a transaction that has just begun one of reading one moment, until this thread's deadline.

    The deadline is each statement's; in an answer that is sent as it is read, each chunk's.
    """
    statements = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    seconds = seconds_left()
    if seconds is not None:
        statements += f"; SET LOCAL statement_timeout = {math.ceil(seconds * 1000)}"
    with connection.cursor() as cursor:
        cursor.execute(statements)  # both in one round trip
