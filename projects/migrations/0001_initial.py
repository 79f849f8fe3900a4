from django.db import migrations, models
from django.utils import timezone

from promptadmin.db.fields import Moment, Text, new_id
from promptadmin.db.schema import AdoptModel


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0008_index_task_type_project")]

    operations = [
        AdoptModel(
            name="Project",
            fields=[
                ("id", Text(default=new_id, editable=False, primary_key=True, serialize=False)),
                ("name", Text()),
                ("description", Text(null=True, blank=True)),
                (
                    "status",
                    Text(
                        choices=[("active", "active"), ("archived", "archived"), ("deleted", "deleted")],
                        default="active",
                    ),
                ),
                ("created_at", Moment(default=timezone.now, editable=False)),
                ("updated_at", Moment(default=timezone.now, editable=False)),
            ],
            options={
                "db_table": "projects",
                "constraints": [models.UniqueConstraint(fields=["name"], name="uq_projects_name")],
            },
        ),
    ]
