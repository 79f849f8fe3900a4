"""What a PostgreSQL database holds; the server reads the rows, and only the sums leave it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from promptadmin.db.sqlite.connections import quote
from promptadmin.ops.backups.contents import Contents, Table

# How values look as text depends on these; a digest must not.
SETTINGS = (
    "SET LOCAL datestyle TO 'ISO, YMD'",
    "SET LOCAL intervalstyle TO 'postgres'",
    "SET LOCAL timezone TO 'UTC'",
    "SET LOCAL extra_float_digits TO 1",
    "SET LOCAL bytea_output TO 'hex'",
    "SET LOCAL search_path TO pg_catalog",
)
OURS = "n.nspname NOT LIKE 'pg|_%%' ESCAPE '|' AND n.nspname <> 'information_schema'"
TABLES = f"""
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND {OURS} ORDER BY 1, 2
"""
# The rows come in no order, so their hashes are added up, each as two numbers of 64 bits.
SUMS = """
    SELECT COUNT(*), COALESCE(SUM(('x' || substr(h, 1, 16))::bit(64)::bigint), 0),
           COALESCE(SUM(('x' || substr(h, 17, 16))::bit(64)::bigint), 0)
    FROM (SELECT encode(sha256(convert_to(t::text, 'UTF8')), 'hex') AS h FROM {table} t) AS hashed
"""
DECLARED = (
    f"""
    SELECT 'column', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid), a.attcollation::regcollation::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'v', 'm', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND {OURS}
    """,
    f"""
    SELECT 'index', n.nspname, c.relname, pg_get_indexdef(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'i' AND {OURS}
    """,
    f"""
    SELECT 'constraint', n.nspname, t.relname, c.conname, pg_get_constraintdef(c.oid), c.convalidated
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE {OURS}
    """,
    f"""
    SELECT 'trigger', n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND {OURS}
    """,
    f"""
    SELECT 'function', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), p.prosrc
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS}
    """,
)


def read_postgresql(cursor: Any) -> Contents:
    """The contents, as of the cursor's transaction, which must be one that keeps its snapshot."""
    for setting in SETTINGS:
        cursor.execute(setting)
    cursor.execute(TABLES, [])
    tables = {}
    for schema, name in cursor.fetchall():
        cursor.execute(SUMS.format(table=f"{quote(schema)}.{quote(name)}"))
        rows, first, second = cursor.fetchone()
        key = name if schema == "public" else f"{schema}.{name}"
        tables[key] = Table(rows, f"{int(first) % 2**64:016x}{int(second) % 2**64:016x}")
    declared = hashlib.sha256()
    for query in DECLARED:
        cursor.execute(query, [])
        for line in sorted(_comparable(row) for row in cursor.fetchall()):
            declared.update(line.encode() + b"\n")
    return Contents(declared.hexdigest(), tables)


def _comparable(row: tuple[object, ...]) -> str:
    """A declaration without its brackets and blanks: PostgreSQL sets these anew when it restores an expression."""
    return re.sub(r"[()\s]", "", repr(row))
