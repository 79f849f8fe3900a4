"""The list of prompts starts with the newest change: without this index it sorts all of them."""

from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0015_roles")]

    operations = [
        AdoptIndex(model_name="prompt", index=NamedIndex(fields=["updated_at", "id"], name="ix_prompts_updated_at")),
    ]
