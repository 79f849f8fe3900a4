"""What SQLite's planner knows of large tables: how many rows a value of an index has on average.

Without it the planner takes each table for a million rows and guesses the rest: it may read all runs of a status to
find those of one prompt. Small tables get none: connections keep what they have read of them, and would take a table
that has grown meanwhile for a small one.

ANALYZE reads a sample of each index, which takes less than a second at a million runs. If it read all of an index, a
SQLite with STAT4 would also keep samples of values. With these it sorts all runs after a cursor, where it should walk
along the order's index: it doesn't reckon with a page that is soon full.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.features import has_row_numbers
from promptadmin.db.sessions import read_session, write_session
from promptadmin.plugins.steps import JobResult

LARGE = 10_000
#: A table with so many times the rows that are known, or a part as small, is read again.
GROWTH = 10
ENTRIES_READ = 2000  # of each index; PRAGMA optimize reads as many


def refresh(using: str, *, large: int = LARGE) -> JobResult:
    """Upkeep: the statistics of one table with so many rows that has none, or those of another size."""
    if not has_row_numbers(connections[using]):
        return JobResult(0, 0)
    with read_session(using) as connection:
        outdated = list(_outdated(connection, large))
    if not outdated:
        return JobResult(0, 0)
    with write_session(using) as connection, connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit={ENTRIES_READ}")
        cursor.execute(f"ANALYZE {connection.ops.quote_name(outdated[0])}")
    return JobResult(1, len(outdated) - 1)


def _outdated(connection: BaseDatabaseWrapper, large: int) -> Iterator[str]:
    tables = {model._meta.db_table for model in apps.get_models()}
    with connection.cursor() as cursor:
        present = connection.introspection.table_names(cursor)
        known: dict[str, int] = {}
        if "sqlite_stat1" in present:
            # A line begins with the number of an index's entries; a partial index has fewer than its table has rows.
            cursor.execute("SELECT tbl, MAX(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl")
            known = dict(cursor.fetchall())
        for table in sorted(tables.intersection(present)):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT MAX(rowid) FROM {name}")  # at once; to count takes time
            if (cursor.fetchone()[0] or 0) < large:
                continue
            cursor.execute(f"SELECT COUNT(*) FROM {name}")
            rows, before = cursor.fetchone()[0], known.get(table, 0)
            if rows >= large and not before / GROWTH < rows < before * GROWTH:
                yield table
