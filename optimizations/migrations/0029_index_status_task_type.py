"""The index of runs of a status by task type: without it, a list by both reads all runs that have one of them."""

from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0028_counts_of_summaries")]

    operations = [
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(fields=["status", "task_type"], name="ix_optimizations_status_task_type"),
        ),
    ]
