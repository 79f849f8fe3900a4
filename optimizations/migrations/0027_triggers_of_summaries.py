"""The triggers of the stored summaries, where the file has those of an earlier release; on SQLite only.

Those overlooked a run that was added where runs of other projects had been deleted, so the summaries made under them go
with them: statistics are right without, and the upkeep makes them anew beside the server.
"""

from django.db import migrations

from optimizations.migrations._summaries import drop_summaries


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0026_ties_on_postgresql")]

    operations = [
        migrations.RunPython(drop_summaries, migrations.RunPython.noop),
    ]
