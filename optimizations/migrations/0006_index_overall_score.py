from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0005_index_status")]

    operations = [
        AdoptIndex(
            model_name="optimization", index=NamedIndex(fields=["overall_score"], name="ix_optimizations_overall_score")
        ),
    ]
