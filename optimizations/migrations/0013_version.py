from django.db import migrations

from promptadmin.db.fields import Text
from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0012_secondary_frameworks")]

    operations = [
        AdoptField(model_name="optimization", name="version", field=Text(null=True, blank=True)),
    ]
