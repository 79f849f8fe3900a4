"""What is looked for in a database of PostgreSQL before the first change to it: tables of other programs."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from promptadmin.ops.startup.adoption.foreign import UNKNOWN, Found, check_foreign
from promptadmin.ops.startup.adoption.shape import check_shape

INDEXES = "SELECT indexname, tablename FROM pg_indexes WHERE schemaname = current_schema()"


def check_server(connection: BaseDatabaseWrapper) -> None:
    """Raise UnusableDatabaseError, with nothing changed, where another program has tables that we are to make."""
    try:
        applied = set(MigrationRecorder(connection).applied_migrations())
    except DatabaseError:
        applied = {UNKNOWN}
    if applied >= set(MigrationLoader(None).graph.nodes):
        return
    with connection.cursor() as cursor:
        listed = connection.introspection.get_table_list(cursor)
        cursor.execute(INDEXES)
        indexes = dict(cursor.fetchall())
    kinds = {table.name: "view" if table.type == "v" else "table" for table in listed}
    check_foreign(Found(f"The database {connection.settings_dict['NAME']}", kinds, indexes), applied)
    check_shape(kinds, lambda table: _columns(connection, table))


def _columns(connection: BaseDatabaseWrapper, table: str) -> list[Any]:
    """A table's columns, as SQLite's PRAGMA table_info would answer."""
    introspection = connection.introspection
    with connection.cursor() as cursor:
        key = introspection.get_primary_key_columns(cursor, table) or []
        described = introspection.get_table_description(cursor, table)
    return [
        (
            number,
            column.name,
            introspection.get_field_type(column.type_code, column),
            not column.null_ok,
            column.default,
            column.name in key,
        )
        for number, column in enumerate(described)
    ]
