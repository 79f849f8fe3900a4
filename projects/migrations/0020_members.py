import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import promptadmin.db.fields


class Migration(migrations.Migration):
    dependencies = [("projects", "0019_folders"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="ProjectMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[("viewer", "viewer: may see it"), ("editor", "editor: may change it")],
                        default="viewer",
                        max_length=10,
                    ),
                ),
                (
                    "project",
                    promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="members", to="projects.project"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "db_table": "project_members",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("project", "user"), name="uq_project_members")],
            },
        ),
    ]
