"""Stored summaries whose sums have the numbers above 2,147,483,647 too; on SQLite only.

Those without them go: what is read without is right, and the upkeep makes them anew beside the server.
"""

from django.db import migrations

from optimizations.migrations._summaries import drop_summaries


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0030_index_task_type_score")]

    operations = [
        migrations.RunPython(drop_summaries, migrations.RunPython.noop),
    ]
