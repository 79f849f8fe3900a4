"""Stored summaries with the numbers of runs by task type and status; on SQLite only.

Summaries without them go: what is read without is right, and the upkeep makes them anew beside the server.
"""

from django.db import migrations

from optimizations.migrations._summaries import drop_summaries


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0027_triggers_of_summaries")]

    operations = [
        migrations.RunPython(drop_summaries, migrations.RunPython.noop),
    ]
