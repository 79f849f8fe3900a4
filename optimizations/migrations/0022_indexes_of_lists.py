"""Indexes that list the runs of a project, a task type or a strategy by time without sorting them."""

from django.db import migrations
from django.db.models.functions import Coalesce

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0021_safe_json")]

    operations = [
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(fields=["project", "created_at"], name="ix_optimizations_project_created_at"),
        ),
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(fields=["task_type", "created_at"], name="ix_optimizations_task_type_created_at"),
        ),
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(
                Coalesce("strategy", "framework_applied"), "created_at", name="ix_optimizations_strategy_created_at"
            ),
        ),
    ]
