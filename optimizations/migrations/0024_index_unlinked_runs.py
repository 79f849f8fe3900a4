"""The runs of a project that are linked to no prompt.

SQLite prefers the index of projects and times to a partial one of projects alone, and then reads all runs of a project.
"""

from django.db import migrations, models

from promptadmin.fields import NamedIndex
from promptadmin.operations import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0023_roles")]

    operations = [
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(
                fields=["prompt", "project"],
                name="ix_optimizations_unlinked_project",
                condition=models.Q(prompt__isnull=True),
            ),
        ),
    ]
