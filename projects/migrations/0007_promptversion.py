from django.db import migrations, models
from django.utils import timezone

from promptadmin.db.fields import Link, Moment, Text, new_id
from promptadmin.db.schema import AdoptModel


class Migration(migrations.Migration):
    dependencies = [("projects", "0006_index_prompt_order")]

    operations = [
        AdoptModel(
            name="PromptVersion",
            fields=[
                ("id", Text(default=new_id, editable=False, primary_key=True, serialize=False)),
                ("prompt", Link(on_delete_sql="CASCADE", related_name="versions", to="projects.prompt")),
                ("version", models.IntegerField()),
                ("content", Text()),
                (
                    "optimization",
                    Link(
                        blank=True,
                        null=True,
                        on_delete_sql="SET NULL",
                        related_name="prompt_versions",
                        to="optimizations.optimization",
                    ),
                ),
                ("created_at", Moment(default=timezone.now, editable=False)),
            ],
            options={"db_table": "prompt_versions"},
        ),
    ]
