"""Indexes of the orders that a list can have and that had none: without them a page reads and sorts the whole table."""

from django.db import migrations

from promptadmin.db.fields import NamedIndex
from promptadmin.db.schema import FormerIndex


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0024_stored_summaries")]

    operations = [
        FormerIndex(
            model_name="optimization", index=NamedIndex(fields=["complexity"], name="ix_optimizations_complexity")
        ),
        FormerIndex(
            model_name="optimization", index=NamedIndex(fields=["duration_ms"], name="ix_optimizations_duration_ms")
        ),
        FormerIndex(model_name="optimization", index=NamedIndex(fields=["title"], name="ix_optimizations_title")),
    ]
