from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0006_index_overall_score")]

    operations = [
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(fields=["status", "created_at"], name="ix_optimizations_status_created_at"),
        ),
    ]
