"""Foreign keys as the database has them, also those in tables that no installed application has a model of."""

from __future__ import annotations

from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

SQLITE = """
    SELECT m.name, f."from", f."table", COALESCE(f."to", 'id') FROM sqlite_master AS m
    JOIN pragma_foreign_key_list(m.name) AS f
    WHERE m.type = 'table' AND f.on_delete IN ('NO ACTION', 'RESTRICT') ORDER BY m.name, f."from"
"""
POSTGRESQL = """
    SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, b.attname FROM pg_constraint AS c
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_attribute AS b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND c.confdeltype IN ('a', 'r') ORDER BY 1, 2
"""

#: Each with the column of its table's primary key beside its own.
SQLITE_CASCADES = """
    SELECT m.name, (SELECT name FROM pragma_table_info(m.name) WHERE pk = 1), f."from", f."table"
    FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f
    WHERE m.type = 'table' AND f.on_delete = 'CASCADE' ORDER BY m.name, f."from"
"""
POSTGRESQL_CASCADES = """
    SELECT c.conrelid::regclass::text, k.attname, a.attname, c.confrelid::regclass::text FROM pg_constraint AS c
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    LEFT JOIN pg_constraint AS p ON p.conrelid = c.conrelid AND p.contype = 'p'
    LEFT JOIN pg_attribute AS k ON k.attrelid = c.conrelid AND k.attnum = p.conkey[1]
    WHERE c.contype = 'f' AND c.confdeltype = 'c' ORDER BY 1, 3
"""


class Reference(NamedTuple):
    """A column whose rows the database doesn't let go without: `ON DELETE` is missing."""

    table: str
    column: str
    target: str
    target_column: str


class Cascade(NamedTuple):
    """A column whose rows the database itself deletes with those that they refer to."""

    table: str
    key: str
    column: str
    target: str


def restricting_references(connection: BaseDatabaseWrapper) -> list[Reference]:
    """The foreign keys that say nothing of deletions."""
    with connection.cursor() as cursor:
        cursor.execute(SQLITE if connection.vendor == "sqlite" else POSTGRESQL)
        return [Reference(*(name.strip('"') for name in row)) for row in cursor.fetchall()]


def cascades(connection: BaseDatabaseWrapper, target: str) -> list[Cascade]:
    """The foreign keys to a table with ON DELETE CASCADE, in any other table that has a primary key."""
    with connection.cursor() as cursor:
        cursor.execute(SQLITE_CASCADES if connection.vendor == "sqlite" else POSTGRESQL_CASCADES)
        found = [Cascade(*(name and name.strip('"') for name in row)) for row in cursor.fetchall()]
    return [cascade for cascade in found if cascade.target == target and cascade.key and cascade.table != target]
