from django.db import migrations

from promptadmin.db.fields import JSONText
from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0011_strategy")]

    operations = [
        AdoptField(model_name="optimization", name="secondary_frameworks", field=JSONText(null=True, blank=True)),
    ]
