"""A moment of the database, on a connection that only its holder has: for answers that are sent as they are read."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from promptadmin.db.postgresql import replicas
from promptadmin.db.postgresql.connections import begin_reading
from promptadmin.http.streaming import place_to_send

ROWS_A_CHUNK = 200


def read_rows(rows: QuerySet[Any, Any], using: str = DEFAULT_DB_ALIAS) -> Generator[Any]:
    """The rows of a `values_list`, in constant memory, all as they were when the first was read.

    Ends its session when it is closed: the server may ask for each row from another thread, and connections elsewhere
    belong to threads.
    """
    with snapshot(using) as connection:
        compiler = rows.query.get_compiler(connection=connection)
        yield from compiler.results_iter(chunked_fetch=True, chunk_size=ROWS_A_CHUNK)


@contextmanager
def snapshot(using: str) -> Iterator[BaseDatabaseWrapper]:
    """A read session on a connection of its own."""
    connection = replicas.reading_connection(using).copy()
    connection.inc_thread_sharing()
    try:
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            raw = connection.connection
            # The platform's sizes are for connections that stay: this one passes over each page once.
            for pragma in ("mmap_size=0", "cache_size=-8192", "temp_store=FILE", "query_only=ON"):
                raw.execute(f"PRAGMA {pragma}").fetchall()
            raw.execute("BEGIN DEFERRED")
        else:
            connection.set_autocommit(False)  # rows then come from a cursor of the server
            begin_reading(connection)
        yield connection
    finally:
        if connection.connection is not None:
            connection.connection.rollback()
        connection.close()


class Streamed:
    """Parts of an answer. The first is read at once, so that what fails there is an error and not a broken file.

    Raises AllSendingError where the process sends as many as it may.
    """

    def __init__(self, parts: Generator[bytes]) -> None:
        self._parts = _in_a_place(parts)
        self._first = next(self._parts, None)

    def __iter__(self) -> Streamed:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._parts)

    def close(self) -> None:
        """End the session, if the client has left before the end."""
        self._parts.close()


def _in_a_place(parts: Generator[bytes]) -> Generator[bytes]:
    with place_to_send():
        yield from parts
