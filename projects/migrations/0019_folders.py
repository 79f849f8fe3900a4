"""Folders, as PromptForge's last release has them: a project may stand in another one.

A file of that release has both columns already, `depth` NOT NULL and often without a default; PromptForge's own upgrade
adds it with the default 0, as is done here. Its projects' names are unique within a folder alone, and its prompts may
be in no project. SQLite takes back no constraint without a rebuild of the table, so files keep those that they have;
on PostgreSQL, to which such a file may be moved, both are relaxed.
"""

from typing import Any

from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Coalesce

from promptadmin.db.fields import Link, NamedIndex, Text
from promptadmin.db.schema import AdoptField, AdoptIndex

NAMES = models.UniqueConstraint(
    "name", Coalesce("parent", Value("", output_field=Text())), name="uq_projects_parent_name"
)


def relax(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE prompts ALTER COLUMN project_id DROP NOT NULL")
        schema_editor.execute("ALTER TABLE projects DROP CONSTRAINT IF EXISTS uq_projects_name")
        schema_editor.execute(
            "CREATE UNIQUE INDEX IF NOT EXISTS uq_projects_parent_name ON projects (name, (COALESCE(parent_id, '')))"
        )


def keep_names(apps: Any, schema_editor: Any) -> None:
    # Names are unique in any case. What may hold NULL by now stays so.
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS uq_projects_parent_name")


class Migration(migrations.Migration):
    dependencies = [("projects", "0018_index_prompt_text")]

    operations = [
        AdoptField(
            model_name="project",
            name="parent",
            field=Link(to="projects.project", on_delete_sql="SET NULL", null=True, blank=True, related_name="children"),
        ),
        AdoptField(
            model_name="project",
            name="depth",
            field=models.IntegerField(null=True, blank=True, db_default=0, editable=False),
        ),
        AdoptIndex(model_name="project", index=NamedIndex(fields=["name"], name="ix_projects_name")),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(relax, keep_names)],
            state_operations=[
                migrations.RemoveConstraint(model_name="project", name="uq_projects_name"),
                migrations.AddConstraint(model_name="project", constraint=NAMES),
                migrations.AlterField(
                    model_name="prompt",
                    name="project",
                    field=Link(
                        to="projects.project",
                        on_delete_sql="CASCADE",
                        null=True,
                        blank=True,
                        related_name="prompts",
                    ),
                ),
            ],
        ),
    ]
