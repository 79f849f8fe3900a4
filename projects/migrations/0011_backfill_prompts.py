"""Makes a prompt of each raw prompt whose project knows no such text.

In the wild: runs recorded by PromptForge releases that made projects, but no prompts. Deleted projects are left alone.
Not reversed: the rows made here look like any other by then.
"""

from typing import Any

from django.db import migrations

from projects.migrations._seeding import backfill_prompts


def forwards(apps: Any, schema_editor: Any) -> None:
    backfill_prompts(schema_editor.connection)


class Migration(migrations.Migration):
    atomic = False  # the work commits in pieces of its own
    dependencies = [("projects", "0010_seed_projects")]

    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
