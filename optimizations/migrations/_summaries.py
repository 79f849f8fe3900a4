"""What migrations do about the stored summaries of a SQLite file: they go, and the upkeep makes them anew.

Statistics are right without them. Table and triggers are the upkeep's too (`optimizations/stats/rollups/table.py`): it
makes them where they are missing, or those of another release.
"""

from typing import Any

TABLE = "promptadmin_derived_statistics"
TRIGGERS = ("delete", "update", "insert", "replace", "rename", "renumber")


def drop_summaries(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        for name in TRIGGERS:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_{name}")
        schema_editor.execute(f"DROP TABLE IF EXISTS {TABLE}")
