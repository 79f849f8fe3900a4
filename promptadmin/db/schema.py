"""Migration operations that adopt what a legacy database already has.

Each one looks first and acts only if needed, forwards and backwards, and never rebuilds a table: a rebuild drops the
columns, triggers and indexes that our models don't declare. Backwards, whatever holds data stays where it is, so that
a step back loses nothing and the next step forward adopts it again.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import migrations, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

logger = logging.getLogger(__name__)


class ForeignShapeError(Exception):
    """A table has one of our names, but can't be one of ours."""


def table_exists(connection: BaseDatabaseWrapper, table: str) -> bool:
    """Whether there is a table of this name."""
    with connection.cursor() as cursor:
        return table in connection.introspection.table_names(cursor)


# SQLite is asked itself: Django's introspection parses the table's whole text to answer, 10 to 20 ms a question.
def column_names(connection: BaseDatabaseWrapper, table: str) -> set[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM pragma_table_xinfo(%s)", [table])
            return {name for (name,) in cursor.fetchall()}
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def index_columns(connection: BaseDatabaseWrapper, table: str) -> dict[str, list[str]]:
    """A table's indexes, and other engines' constraints: name → columns."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            constraints = connection.introspection.get_constraints(cursor, table)
            return {name: constraint["columns"] for name, constraint in constraints.items()}
        cursor.execute(
            "SELECT i.name, c.name FROM pragma_index_list(%s) AS i, pragma_index_info(i.name) AS c "
            "ORDER BY i.name, c.seqno",
            [table],
        )
        indexes: dict[str, list[str]] = {}
        for name, column in cursor.fetchall():
            indexes.setdefault(name, []).append(column)
        return indexes


def holds_values(schema_editor: BaseDatabaseSchemaEditor, table: str, column: str | None = None) -> bool:
    """Whether a table has rows, or, with a column, rows with a value there."""
    quote = schema_editor.connection.ops.quote_name
    condition = f" WHERE {quote(column)} IS NOT NULL" if column else ""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {quote(table)}{condition} LIMIT 1")
        return cursor.fetchone() is not None


class _Adopting:
    """Keeps the migration optimiser from merging an adopting operation into one that doesn't look first."""

    def reduce(self, operation: Any, app_label: str) -> bool:
        """Merge with nothing."""
        return False


class AdoptModel(_Adopting, migrations.CreateModel):
    """Makes a table, or takes an existing one and adds the nullable columns that it lacks."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Make or complete the table. Raises ForeignShapeError if it lacks a column that can't be added."""
        model = to_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        if not table_exists(connection, table):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        present = column_names(connection, table)
        missing = [field for field in model._meta.local_fields if field.column not in present]
        required = sorted(field.column for field in missing if not field.null)
        if required:
            raise ForeignShapeError(f"The table {table} lacks {', '.join(required)}: it is not one of PromptForge's.")
        for field in missing:
            schema_editor.add_field(model, field)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Drop the table if it is there and empty."""
        model = from_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if not table_exists(schema_editor.connection, table):
            return
        if holds_values(schema_editor, table):
            logger.warning("The table %s holds rows: it stays.", table)
            return
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class AdoptField(_Adopting, migrations.AddField):
    """Adds a nullable column, or one with a default of the database, unless it is there."""

    def __init__(self, model_name: str, name: str, field: Any) -> None:
        if not field.null and not field.has_db_default():
            raise ValueError(
                f"{model_name}.{name} must be nullable or have a db_default: SQLite rebuilds the table to add any "
                "other column."
            )
        super().__init__(model_name, name, field)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Add the column unless it is there."""
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        if field.column not in column_names(connection, model._meta.db_table):
            # Not SQLite's editor, which rebuilds a table for a column with a default of the database.
            BaseDatabaseSchemaEditor.add_field(schema_editor, model, field)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Drop the column if it is there, empty, and can go without a rebuild."""
        model = from_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        connection = schema_editor.connection
        table = model._meta.db_table
        if not self.allow_migrate_model(connection.alias, model) or not table_exists(connection, table):
            return
        if field.column not in column_names(connection, table):
            return
        if connection.vendor == "sqlite" and field.remote_field:
            logger.warning("The column %s.%s stays: SQLite drops no column with a foreign key.", table, field.column)
            return
        if holds_values(schema_editor, table, field.column):
            logger.warning("The column %s.%s holds values: it stays.", table, field.column)
            return
        quote = schema_editor.quote_name
        schema_editor.execute(f"ALTER TABLE {quote(table)} DROP COLUMN {quote(field.column)}")


class AdoptIndex(_Adopting, migrations.AddIndex):
    """Makes an index unless there is one of its name."""

    index: models.Index

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Declare the index; models that are rendered already stay as they are.

        Django would render them anew, and those that they refer to: for two dozen indexes a quarter of a second. No
        operation looks for an index in a rendered model, except a rebuild, which isn't made here.
        """
        options = state.models[app_label, self.model_name_lower].options
        options["indexes"] = [*options.get("indexes", ()), self.index.clone()]

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Make the index unless there is one of its name; one over other columns stays, with a warning."""
        model = to_state.apps.get_model(app_label, self.model_name)
        table = model._meta.db_table
        existing = index_columns(schema_editor.connection, table)
        if self.index.name not in existing:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        wanted = [model._meta.get_field(name).column for name, _ in self.index.fields_orders]
        if not self.index.expressions and existing[self.index.name] != wanted:
            logger.warning(
                "The index %s of %s is not on %s: it stays as it is.", self.index.name, table, ", ".join(wanted)
            )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Drop the index if it is there."""
        table = from_state.apps.get_model(app_label, self.model_name)._meta.db_table
        connection = schema_editor.connection
        if table_exists(connection, table) and self.index.name in index_columns(connection, table):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class FormerIndex(AdoptIndex):
    """Stands for an index that a later migration drops: where it isn't, it isn't made first."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Leave everything as it is."""


class DropIndex(AdoptIndex):
    """Drops an index if it is there; one of its name over other columns stays. Backwards it is made again."""

    def state_forwards(self, app_label: str, state: Any) -> None:
        options = state.models[app_label, self.model_name_lower].options
        options["indexes"] = [index for index in options["indexes"] if index.name != self.index.name]

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Drop the index if it is there and has its columns, and perhaps the key behind them."""
        model = from_state.apps.get_model(app_label, self.model_name)
        columns = [model._meta.get_field(name).column for name, _ in self.index.fields_orders]
        found = index_columns(schema_editor.connection, model._meta.db_table).get(self.index.name)
        if found in (columns, [*columns, model._meta.pk.column]):
            super().database_backwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Make the index unless there is one of its name."""
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Drop index {self.index.name} of {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"drop_{self.index.name.lower()}"
