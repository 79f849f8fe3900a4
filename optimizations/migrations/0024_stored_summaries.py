"""The table of stored summaries that statistics are read from, and its triggers; on SQLite only.

It starts empty: statistics are right without it, and the upkeep fills it beside the server.
"""

from typing import Any

from django.db import migrations

from optimizations.stats.rollups import table


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        table.create(schema_editor.connection)


def backwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        table.drop(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0023_roles")]

    operations = [
        migrations.RunPython(forwards, backwards),
    ]
