from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0004_index_project_times")]

    operations = [
        AdoptIndex(model_name="prompt", index=NamedIndex(fields=["project"], name="ix_prompts_project_id")),
    ]
