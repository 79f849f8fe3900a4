"""Replaces the four legacy strategy names by their canonical ones.

In the wild: `framework_applied` and `strategy` with canonical names, aliases, NULL and free text. Only exact aliases
change, a second run finds none. Not reversible: which rows had an alias is not kept.
"""

from typing import Any

from django.db import migrations

from promptadmin.db.sessions import write_session

RENAMED = {
    "few-shot": "few-shot-scaffolding",
    "role-based": "persona-assignment",
    "constraint-focused": "constraint-injection",
    "structured-enhancement": "role-task-format",
}


def forwards(apps: Any, schema_editor: Any) -> None:
    cases = " ".join("WHEN %s THEN %s" for _ in RENAMED)
    known = ", ".join("%s" for _ in RENAMED)
    with write_session(schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
        for column in ("framework_applied", "strategy"):
            cursor.execute(
                f"UPDATE optimizations SET {column} = CASE {column} {cases} END WHERE {column} IN ({known})",
                [name for pair in RENAMED.items() for name in pair] + list(RENAMED),
            )


class Migration(migrations.Migration):
    atomic = False  # the work commits in pieces of its own
    dependencies = [("optimizations", "0016_index_project_status")]

    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
