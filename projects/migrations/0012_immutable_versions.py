"""A trigger that refuses to change what a prompt version says, whichever program tries."""

from typing import Any

from django.db import migrations

NAME = "prompt_versions_immutable"
MESSAGE = "prompt versions are immutable"
CHANGED = {
    "sqlite": "OLD.content IS NOT NEW.content OR OLD.version IS NOT NEW.version OR OLD.prompt_id IS NOT NEW.prompt_id",
    "postgresql": "ROW(OLD.content, OLD.version, OLD.prompt_id) "
    "IS DISTINCT FROM ROW(NEW.content, NEW.version, NEW.prompt_id)",
}


def forwards(apps: Any, schema_editor: Any) -> None:
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        schema_editor.execute(
            f"CREATE TRIGGER IF NOT EXISTS {NAME} BEFORE UPDATE ON prompt_versions "
            f"WHEN {CHANGED[vendor]} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )
    elif vendor == "postgresql":
        schema_editor.execute(
            f"CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        schema_editor.execute(
            f"CREATE OR REPLACE TRIGGER {NAME} BEFORE UPDATE ON prompt_versions FOR EACH ROW "
            f"WHEN ({CHANGED[vendor]}) EXECUTE FUNCTION {NAME}()"
        )


def backwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME}")
    else:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME} ON prompt_versions")
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {NAME}()")


class Migration(migrations.Migration):
    dependencies = [("projects", "0011_backfill_prompts"), ("optimizations", "0020_indexes_of_startup")]

    operations = [
        migrations.RunPython(forwards, backwards),
    ]
