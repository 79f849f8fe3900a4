"""A move to PostgreSQL that is killed in the middle of a table."""

from __future__ import annotations

import time

import psycopg

from tests.support.processes import Scratch

#: So few rows that the tables of a sample are many batches.
SMALL_BATCHES = ("--rows-a-batch", "40")
MARKED = "SELECT name FROM promptadmin_move_tables WHERE position IS NOT NULL AND NOT done"
SECONDS = 120


def tables_begun(url: str) -> list[str]:
    """The tables of which a part is copied."""
    with psycopg.connect(url, autocommit=True) as server:
        return _begun(server)


def kill_within_a_table(scratch: Scratch, url: str, table: str) -> None:
    """Move, and kill that once this table has begun. Fails where the table is not left half copied."""
    process = scratch.start("move_to", url, *SMALL_BATCHES)
    end = time.monotonic() + SECONDS
    try:
        with psycopg.connect(url, autocommit=True) as server:
            while table not in _begun(server):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < end
                time.sleep(0.01)  # else the asking takes a core from the move
    finally:
        process.kill()
        process.communicate()
    assert tables_begun(url) == [table]


def _begun(server: psycopg.Connection) -> list[str]:
    if server.execute("SELECT to_regclass('promptadmin_move_tables')").fetchone() == (None,):
        return []
    return [name for (name,) in server.execute(MARKED)]
