"""Counts of tokens and milliseconds above 2,147,483,647, which a SQLite file holds in any column of integers.

There the columns stay as they are; PostgreSQL gets larger ones, in one pass over the table.
"""

from typing import Any

from django.db import migrations, models

COLUMNS = ("duration_ms", "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        changes = ", ".join(f"ALTER COLUMN {column} TYPE bigint" for column in COLUMNS)
        schema_editor.execute(f"ALTER TABLE optimizations {changes}")


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0031_sums_of_large_counts")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(forwards, migrations.RunPython.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name="optimization", name=column, field=models.BigIntegerField(null=True, blank=True)
                )
                for column in COLUMNS
            ],
        ),
    ]
