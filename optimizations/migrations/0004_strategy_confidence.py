from django.db import migrations, models

from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0003_token_counts")]

    operations = [
        AdoptField(
            model_name="optimization", name="strategy_confidence", field=models.FloatField(null=True, blank=True)
        ),
    ]
