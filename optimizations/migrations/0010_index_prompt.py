from django.db import migrations

from promptadmin.fields import NamedIndex
from promptadmin.operations import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0009_prompt")]

    operations = [
        AdoptIndex(model_name="optimization", index=NamedIndex(fields=["prompt"], name="ix_optimizations_prompt_id")),
    ]
