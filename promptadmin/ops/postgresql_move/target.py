"""The PostgreSQL database that everything is moved to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter
from typing import Any

from django.core.management.color import no_style
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.database_url import database_config
from promptadmin.db.sessions import write_session
from promptadmin.db.sqlite.connections import quote
from promptadmin.ops.postgresql_move.errors import MoveError
from promptadmin.ops.postgresql_move.values import Column, Original
from promptadmin.ops.startup.sequence import run_startup
from promptadmin.plugins.declarations import enabled_plugins

ALIAS = "move_target"
KEPT = "promptadmin_kept_values"
MARK = "promptadmin_move"
MARKED_TABLES = "promptadmin_move_tables"
OWN = (KEPT, MARK, MARKED_TABLES, "django_migrations")
MAKE_OWN_TABLES = f"""
    CREATE TABLE {MARK} (source TEXT NOT NULL, plugins TEXT NOT NULL, prepared BOOLEAN NOT NULL DEFAULT FALSE);
    CREATE TABLE {MARKED_TABLES} (
        name TEXT PRIMARY KEY, position BIGINT, rows BIGINT NOT NULL, done BOOLEAN NOT NULL
    );
    CREATE TABLE {KEPT} (
        table_name TEXT NOT NULL, row_key TEXT NOT NULL, column_name TEXT NOT NULL,
        storage TEXT NOT NULL, value BYTEA NOT NULL, PRIMARY KEY (table_name, row_key, column_name)
    )
"""
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
COLUMNS = """
    SELECT column_name, data_type, is_nullable = 'YES', EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey) AND NOT i.indisunique
    ) AND NOT EXISTS (
        SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND a.attnum = ANY (c.conkey)
    )
    FROM information_schema.columns
    JOIN pg_attribute a ON a.attrelid = %s::regclass AND a.attname = column_name
    WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position
"""
KEYS = """
    SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indisprimary AND i.indrelid = %s::regclass
"""
REFERENCES = """
    SELECT s.relname, t.relname FROM pg_constraint c
    JOIN pg_class s ON s.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid
    WHERE c.contype = 'f' AND s.relname <> t.relname
"""


class Target:
    """An open connection to the database."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def prepare(self, source: str) -> None:
        """Take an empty database and make promptadmin's tables in it, or go on with an unfinished move.

        Raises MoveError for any other database, and where other plugins are switched on than when the move began: its
        tables would be others.
        """
        plugins = ",".join(sorted(plugin.label for plugin in enabled_plugins()))
        if not self._is_marked():
            if self.tables():
                raise MoveError("The target database isn't empty: name an empty one.")
            with self._transaction() as cursor:
                cursor.execute(MAKE_OWN_TABLES)
                cursor.execute(f"INSERT INTO {MARK} (source, plugins) VALUES (%s, %s)", [source, plugins])
        begun, its_plugins, prepared = self._one(f"SELECT source, plugins, prepared FROM {MARK}")
        if begun != source:
            raise MoveError(f"The target database has an unfinished move of {begun}: finish it, or name an empty one.")
        if its_plugins != plugins:
            raise MoveError(
                f"The move began with the plugins {its_plugins}, and {plugins} are switched on: go on with the same "
                "PROMPTADMIN_PLUGINS, or name an empty database."
            )
        if not prepared:
            run_startup(using=self.connection.alias)
            # What the migrations put in (permissions, groups) comes from the source, with its keys.
            names = ", ".join(quote(name) for name in self.tables())
            with self._transaction() as cursor:
                cursor.execute(f"TRUNCATE {names}")
                cursor.execute(f"UPDATE {MARK} SET prepared = TRUE")

    def tables(self) -> list[str]:
        """Every table to be filled, each after those that it refers to."""
        with self.connection.cursor() as cursor:
            cursor.execute(TABLES)
            graph: dict[str, set[str]] = {name: set() for (name,) in cursor.fetchall() if name not in OWN}
            cursor.execute(REFERENCES)
            for name, referred in cursor.fetchall():
                if name in graph and referred in graph:
                    graph[name].add(referred)
        return list(TopologicalSorter({name: sorted(graph[name]) for name in sorted(graph)}).static_order())

    def columns(self, table: str) -> list[Column]:
        with self.connection.cursor() as cursor:
            cursor.execute(COLUMNS, [quote(table), table])
            return [Column(*row) for row in cursor.fetchall()]

    def key(self, table: str) -> str | None:
        """The column that is a table's primary key, if it is one column."""
        with self.connection.cursor() as cursor:
            cursor.execute(KEYS, [quote(table)])
            keys = cursor.fetchall()
        return keys[0][0] if len(keys) == 1 else None

    def add_table(self, table: str, columns: Sequence[tuple[str, str]]) -> None:
        """Make a table that only the source knows, of (name, type) pairs."""
        described = ", ".join(f"{quote(name)} {kind}" for name, kind in columns)
        with self._transaction() as cursor:
            cursor.execute(f"CREATE TABLE {quote(table)} ({described})")

    def add_column(self, table: str, name: str, kind: str) -> None:
        """Add a column that only the source knows."""
        with self._transaction() as cursor:
            cursor.execute(f"ALTER TABLE {quote(table)} ADD COLUMN {quote(name)} {kind}")

    def progress(self, table: str) -> tuple[int | None, int, bool]:
        """How far a table is: the position of its last row, the rows copied, whether that is all."""
        return self._one(f"SELECT position, rows, done FROM {MARKED_TABLES} WHERE name = %s", [table]) or (
            None,
            0,
            False,
        )

    def add_rows(
        self,
        table: str,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Any]],
        kept: Sequence[tuple[str, str, Original]],
        progress: tuple[int | None, int, bool],
    ) -> None:
        """Copy a batch, keep what its columns can't hold as (key, column, value), and note how far the table is."""
        names = ", ".join(quote(column.name) for column in columns)
        with self._transaction() as cursor:
            with (
                self.connection.wrap_database_errors,  # Django's cursors don't, inside a COPY
                cursor.copy(f"COPY {quote(table)} ({names}) FROM STDIN") as copy,
            ):
                for row in rows:
                    copy.write_row(row)
            if kept:
                cursor.executemany(
                    f"INSERT INTO {KEPT} VALUES (%s, %s, %s, %s, %s)",
                    [(table, key, column, value.storage, value.value) for key, column, value in kept],
                )
            cursor.execute(
                f"INSERT INTO {MARKED_TABLES} VALUES (%s, %s, %s, %s) ON CONFLICT (name) DO UPDATE "
                "SET position = excluded.position, rows = excluded.rows, done = excluded.done",
                [table, *progress],
            )

    def kept(self, table: str) -> dict[tuple[str, str], Original]:
        """What a table's columns couldn't hold, by (key, column)."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT row_key, column_name, storage, value FROM {KEPT} WHERE table_name = %s", [table])
            return {(key, column): Original(storage, bytes(value)) for key, column, storage, value in cursor.fetchall()}

    def rows(self, table: str, columns: Sequence[Column]) -> Iterator[tuple[Any, ...]]:
        """Every row, a few thousand at a time."""
        names = ", ".join(quote(column.name) for column in columns)
        with self._transaction(), self.connection.chunked_cursor() as cursor:
            cursor.execute(f"SELECT {names} FROM {quote(table)}")
            while rows := cursor.fetchmany(5000):
                yield from rows

    def names(self) -> set[str]:
        """The names of all tables, views, indexes and triggers."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT relname FROM pg_class UNION SELECT tgname FROM pg_trigger")
            return {name for (name,) in cursor.fetchall()}

    def finish(self) -> None:
        """Let new rows get keys after those moved, and forget the move; the values kept beside stay, if any."""
        models = self.connection.introspection.installed_models(self.tables())
        with self._transaction() as cursor:
            for statement in self.connection.ops.sequence_reset_sql(no_style(), list(models)):
                cursor.execute(statement)
            cursor.execute(f"DROP TABLE {MARK}, {MARKED_TABLES}")
            cursor.execute(f"SELECT COUNT(*) FROM {KEPT}")
            if cursor.fetchone()[0] == 0:
                cursor.execute(f"DROP TABLE {KEPT}")
        with self.connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def _is_marked(self) -> bool:
        return bool(self._one("SELECT to_regclass(%s) IS NOT NULL", [MARK])[0])

    def _one(self, query: str, parameters: Sequence[Any] = ()) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchone()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        with write_session(self.connection.alias), self.connection.cursor() as cursor:
            yield cursor


@contextlib.contextmanager
def opened(url: str) -> Iterator[Target]:
    """The database that a DATABASE_URL names. Raises ImproperlyConfigured, MoveError for another engine."""
    config = database_config(url)
    if config["ENGINE"] != "django.db.backends.postgresql":
        raise MoveError("Only PostgreSQL can be moved to: name it as postgresql://user:password@host:5432/name.")
    connections.settings[ALIAS] = connections.configure_settings({"default": config})["default"]
    try:
        yield Target(connections[ALIAS])
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.settings[ALIAS]
