from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("projects", "0005_index_prompt_project")]

    operations = [
        AdoptIndex(
            model_name="prompt", index=NamedIndex(fields=["project", "order_index"], name="ix_prompts_order_index")
        ),
    ]
