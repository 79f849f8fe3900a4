from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0007_promptversion")]

    operations = [
        AdoptIndex(
            model_name="promptversion", index=NamedIndex(fields=["prompt"], name="ix_prompt_versions_prompt_id")
        ),
        AdoptIndex(
            model_name="promptversion",
            index=NamedIndex(fields=["prompt", "version"], name="ix_prompt_versions_prompt_version"),
        ),
    ]
