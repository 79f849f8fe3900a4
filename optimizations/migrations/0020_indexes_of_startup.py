"""Indexes that let each start-up step see at once that it has nothing to do."""

from django.db import migrations, models

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex, FormerIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0019_indexes_of_last_release")]

    operations = [
        FormerIndex(model_name="optimization", index=NamedIndex(fields=["strategy"], name="ix_optimizations_strategy")),
        FormerIndex(
            model_name="optimization", index=NamedIndex(fields=["framework_applied"], name="ix_optimizations_framework")
        ),
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(
                # The column that is NULL in all of them comes first: SQLite would else prefer an index of all of a
                # project's runs.
                fields=["prompt", "project"],
                name="ix_optimizations_unlinked",
                condition=models.Q(prompt__isnull=True),
            ),
        ),
    ]
