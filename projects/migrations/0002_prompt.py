from django.db import migrations, models
from django.utils import timezone

from promptadmin.db.fields import Link, Moment, Text, new_id
from promptadmin.db.schema import AdoptModel


class Migration(migrations.Migration):
    dependencies = [("projects", "0001_initial")]

    operations = [
        AdoptModel(
            name="Prompt",
            fields=[
                ("id", Text(default=new_id, editable=False, primary_key=True, serialize=False)),
                ("content", Text()),
                ("version", models.IntegerField(default=1)),
                ("project", Link(on_delete_sql="CASCADE", related_name="prompts", to="projects.project")),
                ("order_index", models.IntegerField(default=0)),
                ("created_at", Moment(default=timezone.now, editable=False)),
                ("updated_at", Moment(default=timezone.now, editable=False)),
            ],
            options={"db_table": "prompts"},
        ),
    ]
