from django.db import migrations

from promptadmin.db.fields import JSONText
from promptadmin.db.schema import AdoptField


class Migration(migrations.Migration):
    dependencies = [("optimizations", "0013_version"), ("projects", "0009_context_profile")]

    operations = [
        AdoptField(model_name="optimization", name="codebase_context_snapshot", field=JSONText(null=True, blank=True)),
    ]
