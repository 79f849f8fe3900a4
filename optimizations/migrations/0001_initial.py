"""The table as PromptForge's first release made it."""

from django.db import migrations, models
from django.utils import timezone

from promptadmin.db.fields import JSONText, Moment, NamedIndex, Text, new_id
from promptadmin.db.schema import AdoptIndex, AdoptModel


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        AdoptModel(
            name="Optimization",
            fields=[
                ("id", Text(default=new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", Moment(default=timezone.now, editable=False)),
                ("raw_prompt", Text()),
                ("optimized_prompt", Text(null=True, blank=True)),
                ("task_type", Text(null=True, blank=True)),
                ("complexity", Text(null=True, blank=True)),
                ("weaknesses", JSONText(null=True, blank=True)),
                ("strengths", JSONText(null=True, blank=True)),
                ("changes_made", JSONText(null=True, blank=True)),
                ("framework_applied", Text(null=True, blank=True)),
                ("optimization_notes", Text(null=True, blank=True)),
                ("clarity_score", models.FloatField(null=True, blank=True)),
                ("specificity_score", models.FloatField(null=True, blank=True)),
                ("structure_score", models.FloatField(null=True, blank=True)),
                ("faithfulness_score", models.FloatField(null=True, blank=True)),
                ("overall_score", models.FloatField(null=True, blank=True)),
                ("is_improvement", models.BooleanField(null=True, blank=True)),
                ("verdict", Text(null=True, blank=True)),
                ("duration_ms", models.IntegerField(null=True, blank=True)),
                ("model_used", Text(null=True, blank=True)),
                (
                    "status",
                    Text(
                        choices=[
                            ("pending", "pending"),
                            ("running", "running"),
                            ("completed", "completed"),
                            ("error", "error"),
                            ("cancelled", "cancelled"),
                        ],
                        default="pending",
                    ),
                ),
                ("error_message", Text(null=True, blank=True)),
                ("project", Text(null=True, blank=True)),
                ("tags", JSONText(null=True, blank=True)),
                ("title", Text(null=True, blank=True)),
            ],
            options={"db_table": "optimizations", "verbose_name": "optimisation run"},
        ),
        AdoptIndex(model_name="optimization", index=NamedIndex(fields=["project"], name="ix_optimizations_project")),
        AdoptIndex(
            model_name="optimization", index=NamedIndex(fields=["task_type"], name="ix_optimizations_task_type")
        ),
        AdoptIndex(
            model_name="optimization", index=NamedIndex(fields=["created_at"], name="ix_optimizations_created_at")
        ),
    ]
