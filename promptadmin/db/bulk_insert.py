"""Many new rows in one go, on either engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.chunks import in_chunks

#: SQLite keeps the pages that a statement changes as they were, until it ends: 16 MiB and more for so many rows.
ROWS_AT_ONCE = 2500


def insert_rows(
    connection: BaseDatabaseWrapper, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows, whose values stand in the order of the columns, within a write session.

    On SQLite they come from a temporary table, a few thousand by one statement: for a table with triggers it keeps a
    copy of each page that a statement changes, and with a statement for each row that takes as long as a third of all.
    Raises django.db.IntegrityError.
    """
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(columns))
        cursor.execute(f"CREATE TEMP TABLE promptadmin_new_rows ({names})")
        for chunk in in_chunks(rows, ROWS_AT_ONCE):
            cursor.executemany(f"INSERT INTO temp.promptadmin_new_rows VALUES ({places})", chunk)
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT * FROM temp.promptadmin_new_rows ORDER BY rowid")
            cursor.execute("DELETE FROM temp.promptadmin_new_rows")
        cursor.execute("DROP TABLE temp.promptadmin_new_rows")
