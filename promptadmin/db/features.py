"""What the engines differ in, as questions that others ask instead of asking which engine it is.

Django's own answers stand in `connection.features`: whether rows are locked one by one, for example.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper


def has_row_numbers(connection: BaseDatabaseWrapper) -> bool:
    """Whether each row has a number by which it is found at once, and a new row the greatest (SQLite's rowid)."""
    return connection.vendor == "sqlite"


def row_place(connection: BaseDatabaseWrapper, key: str) -> str:
    """The column by which a row is found at once: its number or, where there is none, the key of the table."""
    return "rowid" if has_row_numbers(connection) else key


def takes_any_value(connection: BaseDatabaseWrapper) -> bool:
    """Whether a column may hold a value of any type, whatever it was declared for (SQLite)."""
    return connection.vendor == "sqlite"


def has_one_writer(connection: BaseDatabaseWrapper) -> bool:
    """Whether one transaction writes at a time, so that a long one keeps all others waiting (SQLite)."""
    return connection.vendor == "sqlite"


def joined(connection: BaseDatabaseWrapper, column: str) -> str:
    """The texts of a group with commas between them, in no order. SQLite has PostgreSQL's name for it since 3.44."""
    function = "group_concat" if connection.vendor == "sqlite" else "string_agg"
    return f"{function}({column}, ',')"


def lock_number(connection: BaseDatabaseWrapper, kind: int, number: int) -> None:
    """Keep others from the same number of this kind until the transaction ends; a single writer needs no lock."""
    if not has_one_writer(connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [kind, number])
