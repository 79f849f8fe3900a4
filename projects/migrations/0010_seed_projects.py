"""Makes a project, with its prompts, of each legacy project name that has none.

In the wild: names with blanks around them, blank but not empty names, any Unicode; files with all, some or no projects.
Each name is one transaction, and a name that has a project is left alone, so it can be interrupted and run again.
Not reversed: the rows made here look like any other by then.
"""

from typing import Any

from django.db import migrations

from projects.migrations._seeding import seed_projects


def forwards(apps: Any, schema_editor: Any) -> None:
    seed_projects(schema_editor.connection)


class Migration(migrations.Migration):
    atomic = False  # the work commits in pieces of its own
    dependencies = [("projects", "0009_context_profile"), ("optimizations", "0017_normalize_strategies")]

    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
