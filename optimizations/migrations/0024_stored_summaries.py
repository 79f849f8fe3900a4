"""The table of stored summaries that statistics are read from, and its triggers; on SQLite only.

Statistics are right without it; the upkeep makes and fills it beside the server.
"""

from django.db import migrations

from optimizations.migrations._summaries import drop_summaries


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0023_roles")]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, drop_summaries),
    ]
