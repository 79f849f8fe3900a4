from django.db import migrations

from promptadmin.fields import Text
from promptadmin.operations import AdoptField


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0001_initial")]

    operations = [
        AdoptField(model_name="optimization", name="strategy_reasoning", field=Text(null=True, blank=True)),
    ]
