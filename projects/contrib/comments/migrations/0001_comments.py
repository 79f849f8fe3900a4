import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import promptadmin.db.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("projects", "0019_folders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.IntegerField(blank=True, null=True)),
                ("text", promptadmin.db.fields.Text()),
                ("author", promptadmin.db.fields.Text()),
                ("by", promptadmin.db.fields.Text()),
                ("created_at", promptadmin.db.fields.Moment(default=django.utils.timezone.now, editable=False)),
                ("edited_at", promptadmin.db.fields.Moment(editable=False, null=True)),
                ("prompt", promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to="projects.prompt")),
            ],
            options={
                "db_table": "prompt_comments",
                "indexes": [models.Index(fields=["prompt", "version"], name="ix_prompt_comments_prompt")],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", promptadmin.db.fields.Text()),
                ("by", promptadmin.db.fields.Text()),
                ("title", promptadmin.db.fields.Text()),
                ("note", promptadmin.db.fields.Text()),
                ("kind", promptadmin.db.fields.Text()),
                ("key", promptadmin.db.fields.Text()),
                ("created_at", promptadmin.db.fields.Moment(default=django.utils.timezone.now)),
                ("read_at", promptadmin.db.fields.Moment(null=True)),
                (
                    "user",
                    promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "db_table": "notifications",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["user", "read_at", "id"], name="ix_notifications_unread"),
                    models.Index(fields=["user", "id"], name="ix_notifications_user"),
                    models.Index(fields=["created_at"], name="ix_notifications_created_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "project",
                    promptadmin.db.fields.Link(
                        null=True, on_delete_sql="CASCADE", related_name="+", to="projects.project"
                    ),
                ),
                (
                    "prompt",
                    promptadmin.db.fields.Link(
                        null=True, on_delete_sql="CASCADE", related_name="+", to="projects.prompt"
                    ),
                ),
                (
                    "user",
                    promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "db_table": "notification_subscriptions",
                "default_permissions": (),
                "indexes": [models.Index(fields=["user"], name="ix_subscriptions_user")],
                "constraints": [
                    models.UniqueConstraint(fields=("prompt", "user"), name="uq_subscriptions_prompt"),
                    models.UniqueConstraint(fields=("project", "user"), name="uq_subscriptions_project"),
                    models.UniqueConstraint(
                        condition=models.Q(("project", None), ("prompt", None)),
                        fields=("user",),
                        name="uq_subscriptions_failures",
                    ),
                ],
            },
        ),
    ]
