"""Triggers that refuse to change or delete an event of the ledger, whichever program tries, but with its prompt.

The database deletes an event with its prompt, which is gone by then: that is how the trigger knows.
"""

from typing import Any

from django.db import migrations

NAME = "label_events_append_only"
MESSAGE = "label events are append-only"
PROMPT_IS_THERE = "EXISTS (SELECT 1 FROM prompts WHERE id = OLD.prompt_id)"


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        schema_editor.execute(f"CREATE TRIGGER IF NOT EXISTS {NAME}_update BEFORE UPDATE ON label_events {refuse}")
        schema_editor.execute(
            f"CREATE TRIGGER IF NOT EXISTS {NAME}_delete BEFORE DELETE ON label_events WHEN {PROMPT_IS_THERE} {refuse}"
        )
        return
    schema_editor.execute(
        f"CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' AND NOT {PROMPT_IS_THERE} THEN RETURN OLD; END IF; "
        f"RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    schema_editor.execute(
        f"CREATE OR REPLACE TRIGGER {NAME} BEFORE UPDATE OR DELETE ON label_events FOR EACH ROW "
        f"EXECUTE FUNCTION {NAME}()"
    )


def backwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME}_update")
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME}_delete")
    else:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME} ON label_events")
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {NAME}()")


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_names_and_labels")]

    operations = [migrations.RunPython(forwards, backwards)]
