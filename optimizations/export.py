"""Runs as JSON Lines: any number of them in constant memory, all as they were at one moment."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from optimizations.filters import RunFilters
from optimizations.models import Optimization
from optimizations.paging import RunOrder
from optimizations.records import COLUMNS, read_row
from optimizations.run_lines import write_line

ROWS_A_CHUNK = 200
PROMPTS_PROJECT = "prompt__project__name"


class ExportedRuns:
    """The lines of the runs that pass the filters, oldest first, in chunks of bytes.

    It has a connection of its own, open from the first chunk until the last, or until `close()`: the server may ask
    for each chunk from another thread, and connections elsewhere belong to threads. The first chunk is read at once, so
    that a database that doesn't answer is an error and not an empty export.
    """

    def __init__(self, filters: RunFilters, using: str = DEFAULT_DB_ALIAS) -> None:
        self._chunks = _chunks(filters, using)
        self._first = next(self._chunks, None)

    def __iter__(self) -> ExportedRuns:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._chunks)

    def close(self) -> None:
        """End the session, if the client has left before the end."""
        self._chunks.close()


def _chunks(filters: RunFilters, using: str) -> Generator[bytes]:
    oldest_first = RunOrder.named("created_at", "asc", connections[using].vendor)
    runs = oldest_first.sorted(filters.apply(Optimization.objects.using(using)))
    rows = runs.values_list(*COLUMNS, PROMPTS_PROJECT)
    with _snapshot(using) as connection:
        compiler = rows.query.get_compiler(connection=connection)
        lines: list[bytes] = []
        for values in compiler.results_iter(chunked_fetch=True, chunk_size=ROWS_A_CHUNK):
            record = read_row(COLUMNS, values)
            record["prompt_project"] = values[-1]
            lines.append(write_line(record))
            if len(lines) == ROWS_A_CHUNK:
                yield b"".join(lines)
                lines.clear()
        if lines:
            yield b"".join(lines)


@contextmanager
def _snapshot(using: str) -> Iterator[BaseDatabaseWrapper]:
    """A read session on a connection that only its holder has."""
    connection = connections[using].copy()
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
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection
    finally:
        if connection.connection is not None:
            connection.connection.rollback()
        connection.close()
