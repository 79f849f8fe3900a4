from django.db import migrations

from promptadmin.db.fields import Text
from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0010_index_prompt")]

    operations = [
        AdoptField(model_name="optimization", name="strategy", field=Text(null=True, blank=True)),
    ]
