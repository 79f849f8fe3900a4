import django.utils.timezone
from django.db import migrations, models

import promptadmin.db.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [("projects", "0019_folders")]

    operations = [
        migrations.CreateModel(
            name="LabelRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", promptadmin.db.fields.Text(unique=True)),
                (
                    "is_protected",
                    models.BooleanField(
                        default=False,
                        help_text="Moving it needs the permission, or a token's scope, to promote.",
                        verbose_name="protected",
                    ),
                ),
                ("needs_reason", models.BooleanField(default=False, verbose_name="reason required")),
                (
                    "needs_second_person",
                    models.BooleanField(
                        default=False,
                        help_text="Somebody else than the asker approves each move.",
                        verbose_name="second person required",
                    ),
                ),
            ],
            options={
                "db_table": "label_rules",
                "ordering": ["label"],
            },
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", promptadmin.db.fields.Text()),
                ("version", models.IntegerField(blank=True, null=True)),
                ("weights", promptadmin.db.fields.JSONText(blank=True, null=True)),
                ("moved_at", promptadmin.db.fields.Moment(default=django.utils.timezone.now, editable=False)),
                ("prompt", promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to="projects.prompt")),
            ],
            options={
                "db_table": "labels",
                "permissions": [("promote_label", "Can move protected labels")],
                "indexes": [models.Index(fields=["label", "prompt"], name="ix_labels_label")],
                "constraints": [models.UniqueConstraint(fields=("prompt", "label"), name="uq_labels_prompt_label")],
            },
        ),
        migrations.CreateModel(
            name="LabelEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", promptadmin.db.fields.Text()),
                ("position", models.IntegerField()),
                ("from_target", promptadmin.db.fields.Text(null=True)),
                ("to_target", promptadmin.db.fields.Text(null=True)),
                ("moved_by", promptadmin.db.fields.Text()),
                ("door", promptadmin.db.fields.Text()),
                ("reason", promptadmin.db.fields.Text()),
                ("approved_by", promptadmin.db.fields.Text(null=True)),
                ("moved_at", promptadmin.db.fields.Moment(default=django.utils.timezone.now)),
                ("prompt", promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to="projects.prompt")),
            ],
            options={
                "verbose_name": "label move",
                "db_table": "label_events",
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["moved_at", "id"], name="ix_label_events_moved_at")],
                "constraints": [
                    models.UniqueConstraint(fields=("prompt", "label", "position"), name="uq_label_events_position")
                ],
            },
        ),
        migrations.CreateModel(
            name="PromotionRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", promptadmin.db.fields.Text()),
                ("from_target", promptadmin.db.fields.Text(null=True)),
                ("to_target", promptadmin.db.fields.Text(null=True)),
                ("asked_by", promptadmin.db.fields.Text()),
                ("asker", promptadmin.db.fields.Text()),
                ("reason", promptadmin.db.fields.Text()),
                (
                    "state",
                    promptadmin.db.fields.Text(
                        choices=[("open", "open"), ("approved", "approved"), ("rejected", "rejected")], default="open"
                    ),
                ),
                ("decided_by", promptadmin.db.fields.Text(null=True)),
                ("asked_at", promptadmin.db.fields.Moment(default=django.utils.timezone.now)),
                ("decided_at", promptadmin.db.fields.Moment(null=True)),
                ("prompt", promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to="projects.prompt")),
            ],
            options={
                "db_table": "promotion_requests",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["prompt", "label"], name="ix_promotion_requests_prompt"),
                    models.Index(fields=["state", "asked_at"], name="ix_promotion_requests_state"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PromptFetch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", promptadmin.db.fields.Text()),
                ("version", models.IntegerField()),
                ("token", promptadmin.db.fields.Text()),
                ("day", models.DateField()),
                ("count", models.BigIntegerField(default=0)),
                ("last_at", promptadmin.db.fields.Moment()),
                ("prompt", promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to="projects.prompt")),
            ],
            options={
                "db_table": "prompt_fetches",
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("prompt", "day", "label", "version", "token"), name="uq_prompt_fetches"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PromptName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", promptadmin.db.fields.Text()),
                ("key", promptadmin.db.fields.Text(editable=False)),
                (
                    "kind",
                    promptadmin.db.fields.Text(
                        choices=[("text", "text"), ("chat", "chat"), ("skill", "skill")], default="text"
                    ),
                ),
                (
                    "template_format",
                    promptadmin.db.fields.Text(
                        choices=[("mustache", "{{name}}"), ("f-string", "{name}"), ("none", "no variables")],
                        default="mustache",
                    ),
                ),
                ("description", promptadmin.db.fields.Text(blank=True, null=True)),
                ("tags", promptadmin.db.fields.JSONText(blank=True, null=True)),
                ("created_at", promptadmin.db.fields.Moment(default=django.utils.timezone.now, editable=False)),
                ("prompt", promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to="projects.prompt")),
            ],
            options={
                "verbose_name": "prompt name",
                "db_table": "prompt_names",
                "constraints": [
                    models.UniqueConstraint(fields=("prompt",), name="uq_prompt_names_prompt"),
                    models.UniqueConstraint(fields=("key",), name="uq_prompt_names_key"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Redirect",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", promptadmin.db.fields.Text()),
                ("created_at", promptadmin.db.fields.Moment(default=django.utils.timezone.now, editable=False)),
                ("prompt", promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to="projects.prompt")),
            ],
            options={
                "db_table": "prompt_redirects",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["key"], name="ix_prompt_redirects_key"),
                    models.Index(fields=["prompt"], name="ix_prompt_redirects_prompt"),
                ],
            },
        ),
        migrations.CreateModel(
            name="VersionDetail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.IntegerField()),
                ("author", promptadmin.db.fields.Text(blank=True, null=True)),
                ("reason", promptadmin.db.fields.Text(blank=True, null=True)),
                ("config", promptadmin.db.fields.JSONText(blank=True, null=True)),
                ("variables", promptadmin.db.fields.JSONText(blank=True, null=True)),
                ("sha256", promptadmin.db.fields.Text()),
                ("created_at", promptadmin.db.fields.Moment(default=django.utils.timezone.now, editable=False)),
                ("prompt", promptadmin.db.fields.Link(on_delete_sql="CASCADE", related_name="+", to="projects.prompt")),
            ],
            options={
                "db_table": "version_details",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("prompt", "version"), name="uq_version_details")],
            },
        ),
    ]
