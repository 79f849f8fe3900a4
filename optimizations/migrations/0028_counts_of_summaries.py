"""Stored summaries with the numbers of runs by task type and status; on SQLite only.

Summaries without them go: what is read without is right, and the upkeep makes them anew beside the server.
"""

from typing import Any

from django.db import migrations

from optimizations.stats.rollups import table


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        table.create(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0027_triggers_of_summaries")]

    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
