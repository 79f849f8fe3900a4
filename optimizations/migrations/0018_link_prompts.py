"""Links each run without a prompt to the prompt of its project that has its text.

Texts are compared exactly. Runs without a project, and those whose text is no prompt, stay without a link.
Not reversed: which links were there before is not kept, and a right link does no harm.
"""

from typing import Any

from django.db import migrations

from optimizations.migrations._linking import link_prompts


def forwards(apps: Any, schema_editor: Any) -> None:
    link_prompts(schema_editor.connection)


class Migration(migrations.Migration):
    atomic = False  # the work commits in pieces of its own
    dependencies = [("optimizations", "0017_normalize_strategies"), ("projects", "0011_backfill_prompts")]

    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
