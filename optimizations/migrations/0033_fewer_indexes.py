"""Indexes that cost each write more than they are worth go: those of single sorts and those of strategies' names.

A list by title, complexity or duration is sorted when it is asked for, up to a limit. Names of strategies are found by
the index of the strategy that counts, and those beside one by an index of the runs that have both. Safe to stop and to
repeat: each index is looked for first, and none of PromptForge's is among them. Backwards they are made again.
"""

from django.db import migrations, models

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex, DropIndex

DROPPED = {
    "strategy": "ix_optimizations_strategy",
    "framework_applied": "ix_optimizations_framework",
    "complexity": "ix_optimizations_complexity",
    "duration_ms": "ix_optimizations_duration_ms",
    "title": "ix_optimizations_title",
}


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0032_large_counts")]

    operations = [
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(
                fields=["framework_applied"],
                name="ix_optimizations_framework_beside",
                condition=models.Q(strategy__isnull=False, framework_applied__isnull=False),
            ),
        ),
        *(
            DropIndex(model_name="optimization", index=NamedIndex(fields=[column], name=name))
            for column, name in DROPPED.items()
        ),
    ]
