"""On PostgreSQL the indexes of the orders that a list can have hold the key, too, which decides among equal runs.

SQLite's indexes hold the row's number anyway. Without it PostgreSQL reads and sorts all runs of the same status to find
the first twenty: half a second and more at a million. Safe, because the names and what they serve stay; backwards the
indexes become what they were.
"""

from collections.abc import Sequence

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from promptadmin.db.schema import index_columns

TABLE = "optimizations"
SORTS = ("overall_score", "task_type", "complexity", "status", "duration_ms", "title", "project")


def add_key(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let each index hold the key as its last column."""
    _remake(schema_editor, ("id",))


def drop_key(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let each index hold its own column alone."""
    _remake(schema_editor, ())


def _remake(schema_editor: BaseDatabaseSchemaEditor, tie: Sequence[str]) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    present = index_columns(schema_editor.connection, TABLE)
    for column in SORTS:
        name = f"ix_{TABLE}_{column}"
        if present.get(name) not in (None, [column, *tie]):
            schema_editor.execute(f"DROP INDEX {name}")
            schema_editor.execute(f"CREATE INDEX {name} ON {TABLE} ({', '.join((column, *tie))})")


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0025_indexes_of_sorts")]

    operations = [migrations.RunPython(add_key, drop_key)]
