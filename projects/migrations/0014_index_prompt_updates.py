"""The list of projects shows when a prompt of each last changed: without this index it reads all of them."""

from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0013_index_version_optimization")]

    operations = [
        AdoptIndex(
            model_name="prompt",
            index=NamedIndex(fields=["project", "updated_at"], name="ix_prompts_project_updated_at"),
        ),
    ]
