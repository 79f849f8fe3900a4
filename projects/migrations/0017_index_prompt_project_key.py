"""An index that has the keys of a project's prompts: finding its runs needs nothing else of the prompts."""

from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0016_index_prompt_changes")]

    operations = [
        AdoptIndex(model_name="prompt", index=NamedIndex(fields=["project", "id"], name="ix_prompts_project_key")),
    ]
