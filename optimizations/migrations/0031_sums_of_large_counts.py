"""Stored summaries whose sums have the numbers above 2,147,483,647 too; on SQLite only.

Those without them go: what is read without is right, and the upkeep makes them anew beside the server.
"""

from typing import Any

from django.db import migrations

from optimizations.stats.rollups import table


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        table.drop(schema_editor.connection)
        table.create(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0030_index_task_type_score")]

    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
