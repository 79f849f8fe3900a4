"""The table of notes, and who may see and change it."""

from django.db import migrations, models

import promptadmin.plugins


class Migration(migrations.Migration):
    initial = True

    dependencies = [("projects", "0019_folders"), ("promptadmin", "0003_roles")]

    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("text", models.TextField(blank=True)),
                ("mark", models.CharField(blank=True, max_length=20)),
                (
                    "prompt",
                    promptadmin.plugins.Link(on_delete_sql="CASCADE", related_name="+", to="projects.prompt"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["prompt"], name="named_notes_prompt")],
                "constraints": [models.UniqueConstraint(fields=("prompt", "name"), name="named_notes_name")],
            },
        ),
        promptadmin.plugins.grant(
            "named_notes",
            {"viewer": ["view_note"], "editor": ["view_note", "add_note", "change_note", "delete_note"]},
        ),
    ]
