"""Rows that don't hold together: counted by the engine, never loaded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db import json_text
from promptadmin.db.fields import JSONText
from promptadmin.deletions.references import unowned
from promptadmin.ops.doctor.limits import SECONDS, limited
from promptadmin.ops.doctor.registry import Examination, Finding, Severity, check, counted
from promptadmin.plugins.declarations import enabled_plugins

SHOWN = 3
ROWS_A_FETCH = 2000
STEP = 20_000


@check("D202")
def check_links(examination: Examination) -> Iterator[Finding]:
    """Links between rows.

    Each must point to a row that exists. PromptForge's first releases didn't enforce foreign keys, and a program that
    switches them off can still delete what others point to. PostgreSQL always enforces them.
    """
    connection = examination.connection
    if connection.vendor == "postgresql":
        yield Finding(Severity.OK, "PostgreSQL enforces every link")
        return
    links = list(_links())
    known = {table for table, *_ in links}
    found = False
    with limited(examination), connection.cursor() as cursor:
        for table, key, column, target, target_key in links:
            table, key, column, target, target_key = (  # noqa: PLW2901  # as identifiers
                connection.ops.quote_name(name) for name in (table, key, column, target, target_key)
            )
            orphans = (
                f"FROM {table} AS t WHERE t.{column} IS NOT NULL "
                f"AND NOT EXISTS (SELECT 1 FROM {target} AS o WHERE o.{target_key} = t.{column})"
            )
            cursor.execute(f"SELECT COUNT(*) {orphans}")
            count = cursor.fetchone()[0]
            if count:
                found = True
                cursor.execute(f"SELECT t.{key} {orphans} LIMIT {SHOWN}")
                yield _broken(f"{table}.{column}", count, [row[0] for row in cursor.fetchall()])
        for table in connection.introspection.table_names(cursor):
            if table not in known:  # tables that no model describes
                cursor.execute(f"SELECT COUNT(*) FROM pragma_foreign_key_check({_literal(table)})")
                count = cursor.fetchone()[0]
                if count:
                    found = True
                    yield _broken(table, count, [])
    if not found:
        yield Finding(Severity.OK, f"looked at {len(links)} kinds of links")


@check("D203")
def check_json(examination: Examination) -> Iterator[Finding]:
    """Texts that should be JSON.

    Text that isn't reads as null through the API, shows as it is in the back-office, and stays until somebody edits
    that field. Nothing is lost; whoever reads the field gets nothing.
    """
    counts: dict[str, int] = {}
    finished = True
    deadline = None if examination.full else time.monotonic() + SECONDS
    for plugin in enabled_plugins():
        for model in plugin.get_models():
            table = model._meta.db_table
            columns = [str(field.column) for field in model._meta.local_fields if isinstance(field, JSONText)]
            counts |= dict.fromkeys((f"{table}.{column}" for column in columns), 0)
            for batch in _invalid_json(examination.connection, table, columns) if columns else ():
                for column, count in zip(columns, batch, strict=True):
                    counts[f"{table}.{column}"] += count
                if deadline and time.monotonic() > deadline:
                    finished = False
                    break
    for column, count in counts.items():
        if count:
            yield Finding(
                Severity.WARNING,
                f"{column}: " + counted(count, "text that isn't JSON", "texts that aren't JSON"),
                "They read as null. Correct them in the back-office, or leave them as they are.",
            )
    if not finished:
        yield Finding(
            Severity.NOTE,
            f"only the newest rows were read, for {SECONDS:.0f} s",
            "Run `manage.py doctor --full`, which takes the time it needs.",
        )
    elif not any(counts.values()):
        yield Finding(Severity.OK, f"looked at {len(counts)} columns")


def _links() -> Iterator[tuple[str, str, str, str, str]]:
    """Every link of every model: table, its key, column, target table, its key."""
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy:
            continue
        for field in model._meta.local_fields:
            if isinstance(field, models.ForeignKey):
                target = field.remote_field.model._meta
                yield (
                    model._meta.db_table,
                    str(model._meta.pk.column),
                    str(field.column),
                    target.db_table,
                    str(field.target_field.column),
                )


def _broken(what: str, count: int, keys: list[Any]) -> Finding:
    shown = f", among them {', '.join(str(key) for key in keys)}" if keys else ""
    return Finding(
        Severity.ERROR,
        f"{what.replace(chr(34), '')}: "
        + counted(count, "link to a row that doesn't exist", "links to rows that don't exist")
        + shown,
        "Back up, then set them to NULL or to a row that exists with the sqlite3 shell; the next `manage.py startup` "
        "that has migrations to apply lists them, and --repair-orphans sets those to NULL that may be.",
    )


def _invalid_json(connection: BaseDatabaseWrapper, table: str, columns: list[str]) -> Iterator[list[int]]:
    """How many texts of each column are not JSON, batch by batch."""
    table = connection.ops.quote_name(table)
    columns = [connection.ops.quote_name(column) for column in columns]
    return (_count_in_sqlite if connection.vendor == "sqlite" else _count_here)(connection, table, columns)


def _count_in_sqlite(connection: BaseDatabaseWrapper, table: str, columns: list[str]) -> Iterator[list[int]]:
    """From the newest rows to the oldest; SQLite counts."""
    sums = ", ".join(f"SUM({c} IS NOT NULL AND {c} <> '' AND NOT json_valid({c}))" for c in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MAX(rowid) FROM {table}")
        while (highest := cursor.fetchone()[0]) is not None:
            lowest = highest - STEP
            cursor.execute(f"SELECT {sums} FROM {table} WHERE rowid BETWEEN %s AND %s", [lowest, highest])
            yield [int(count or 0) for count in cursor.fetchone()]
            cursor.execute(f"SELECT MAX(rowid) FROM {table} WHERE rowid < %s", [lowest])  # past any gap


def _count_here(connection: BaseDatabaseWrapper, table: str, columns: list[str]) -> Iterator[list[int]]:
    """PostgreSQL can tell what is JSON only from release 16 on, so the texts are streamed and parsed here."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE COALESCE({', '.join(columns)}) IS NOT NULL")
        while rows := cursor.fetchmany(ROWS_A_FETCH):
            yield [sum(_is_invalid(text) for text in texts) for texts in zip(*rows, strict=True)]


def _is_invalid(text: str | None) -> bool:
    return bool(text) and text != "null" and json_text.parse(text) is None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@check("D206")
def check_foreign_tables(examination: Examination) -> Iterator[Finding]:
    """Tables of plugins that are switched off.

    A plugin's table stays in the database when the plugin is switched off. Where it has a foreign key without ON DELETE
    to a table of ours, the database refuses to delete the rows that it refers to: such a deletion is answered with 409.
    """
    targets = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    found = unowned(examination.connection, targets)
    for table in sorted({reference.table for reference in found}):
        columns = ", ".join(f"{item.column} to {item.target}" for item in found if item.table == table)
        yield Finding(
            Severity.WARNING,
            f"no enabled plugin has the table {table}, which refers to ours without ON DELETE: {columns}",
            "Enable its plugin in PROMPTADMIN_PLUGINS, or remove the table: what it refers to can't be deleted.",
        )
    if not found:
        yield Finding(Severity.OK, "none stands in the way of deletions")
