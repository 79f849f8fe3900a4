from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0007_index_status_created_at")]

    operations = [
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(fields=["task_type", "project"], name="ix_optimizations_task_type_project"),
        ),
    ]
