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

#: Keys of one column, each with its table's primary key where that is one column, too.
SQLITE_CASCADES = """
    SELECT m.name, f."from", f."table",
        COALESCE(f."to", (SELECT name FROM pragma_table_info(f."table") WHERE pk = 1)),
        (SELECT CASE WHEN MAX(pk) = 1 THEN MAX(CASE WHEN pk = 1 THEN name END) END FROM pragma_table_info(m.name))
    FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f
    WHERE m.type = 'table' AND f.on_delete = 'CASCADE'
        AND NOT EXISTS (SELECT 1 FROM pragma_foreign_key_list(m.name) AS more WHERE more.id = f.id AND more.seq > 0)
    ORDER BY m.name, f."from"
"""
POSTGRESQL_CASCADES = """
    SELECT m.relname, a.attname, t.relname, b.attname, k.attname FROM pg_constraint AS c
    JOIN pg_class AS m ON m.oid = c.conrelid
    JOIN pg_class AS t ON t.oid = c.confrelid
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_attribute AS b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
    LEFT JOIN pg_constraint AS p ON p.conrelid = c.conrelid AND p.contype = 'p' AND array_length(p.conkey, 1) = 1
    LEFT JOIN pg_attribute AS k ON k.attrelid = c.conrelid AND k.attnum = p.conkey[1]
    WHERE c.contype = 'f' AND c.confdeltype = 'c' AND array_length(c.conkey, 1) = 1
        AND pg_table_is_visible(m.oid) AND pg_table_is_visible(t.oid)
    ORDER BY 1, 2
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
    column: str
    target: str
    target_column: str
    key: str | None


def restricting_references(connection: BaseDatabaseWrapper) -> list[Reference]:
    """The foreign keys that say nothing of deletions."""
    with connection.cursor() as cursor:
        cursor.execute(SQLITE if connection.vendor == "sqlite" else POSTGRESQL)
        return [Reference(*(name.strip('"') for name in row)) for row in cursor.fetchall()]


def cascades(connection: BaseDatabaseWrapper, target: str) -> list[Cascade]:
    """The foreign keys of other tables to this one that have ON DELETE CASCADE."""
    with connection.cursor() as cursor:
        cursor.execute(SQLITE_CASCADES if connection.vendor == "sqlite" else POSTGRESQL_CASCADES)
        found = [Cascade(*row) for row in cursor.fetchall()]
    return [cascade for cascade in found if cascade.target == target and cascade.table != target]
