from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0015_cache_token_counts")]

    operations = [
        AdoptIndex(
            model_name="optimization",
            index=NamedIndex(fields=["project", "status"], name="ix_optimizations_project_status"),
        ),
    ]
