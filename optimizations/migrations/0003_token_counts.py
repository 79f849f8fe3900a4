from django.db import migrations, models

from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0002_strategy_reasoning")]

    operations = [
        AdoptField(model_name="optimization", name="input_tokens", field=models.IntegerField(null=True, blank=True)),
        AdoptField(model_name="optimization", name="output_tokens", field=models.IntegerField(null=True, blank=True)),
    ]
