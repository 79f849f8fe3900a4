"""The index of runs of a task type by score: without it, a list of these walks past all better runs of other types."""

from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0029_index_status_task_type")]

    operations = [
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(fields=["task_type", "overall_score"], name="ix_optimizations_task_type_score"),
        ),
    ]
