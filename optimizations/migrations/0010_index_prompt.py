from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0009_prompt")]

    operations = [
        AdoptIndex(model_name="optimization", index=NamedIndex(fields=["prompt"], name="ix_optimizations_prompt_id")),
    ]
