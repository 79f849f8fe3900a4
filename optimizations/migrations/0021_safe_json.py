"""A function that reads a text as a JSON list, or as NULL where it holds anything else; on PostgreSQL only.

The columns that should hold JSON are text and may hold anything, and one malformed text would fail a whole query:
PostgreSQL can't ask first before its release 16. SQLite can (`json_valid`), so it needs no function.
"""

from typing import Any

from django.db import migrations

NAME = "promptadmin_json_list"
# The check comes first because jsonb refuses an escaped NUL anyway, while SQLite would cut the text there without
# a word. A block with EXCEPTION opens a subtransaction, which PostgreSQL allows in no parallel query: the function
# stays PARALLEL UNSAFE, the default.
DEFINITION = rf"""
CREATE OR REPLACE FUNCTION {NAME}(stored text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    value jsonb;
BEGIN
    IF position('\u0000' IN stored) > 0 THEN
        RETURN NULL;
    END IF;
    value := stored::jsonb;
    RETURN CASE WHEN jsonb_typeof(value) = 'array' THEN value END;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$
"""


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DEFINITION)


def backwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {NAME}(text)")


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0020_indexes_of_startup"), ("projects", "0012_immutable_versions")]

    operations = [
        migrations.RunPython(forwards, backwards),
    ]
