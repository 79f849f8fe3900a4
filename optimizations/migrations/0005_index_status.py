from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import AdoptIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0004_strategy_confidence")]

    operations = [
        AdoptIndex(model_name="optimization", index=NamedIndex(fields=["status"], name="ix_optimizations_status")),
    ]
