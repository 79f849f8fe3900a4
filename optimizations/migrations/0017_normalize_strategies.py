"""Replaces the four legacy strategy names by their canonical ones.

In the wild: `framework_applied` and `strategy` with canonical names, aliases, NULL and free text. Only exact aliases
change, a second run finds none. Not reversible: which rows had an alias is not kept.
"""

from typing import Any

from django.db import migrations

from promptadmin.plugins.steps import StepContext


def forwards(apps: Any, schema_editor: Any) -> None:
    from optimizations.startup import normalize_strategies

    normalize_strategies(StepContext(schema_editor.connection))


class Migration(migrations.Migration):
    atomic = False  # the work commits in pieces of its own
    dependencies = [("optimizations", "0016_index_project_status")]

    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
